import { type OptionsOf, textOption } from '@groupcast/options';
import type { Command } from '@groupcast/service';
import { HUB_ACCESS_OPTIONS } from '../channel/hub-access.ts';
import type { DevConfig } from '../dev/options.ts';
import { checkCertificates } from './checks/certificates.ts';
import { checkClock, remoteTime } from './checks/clock.ts';
import { checkAccessFiles, checkStateFolder } from './checks/files.ts';
import { checkHub } from './checks/hub.ts';
import { checkPorts } from './checks/ports.ts';
import { checkProxy } from './checks/proxy.ts';
import { checkNode, checkOpenFiles } from './checks/runtime.ts';
import type { Finding } from './finding.ts';

/** Time for an answer of the server at `--url`, in milliseconds. */
const ANSWER_MS = 5_000;

const EXIT_FAULT = 1;

const flags = {
  url: textOption({
    default: '',
    valueName: 'URL',
    describe: 'Address that clients use, such as wss://example.com/ws: checks the proxy in front.',
    check: (text) =>
      httpUrl(text) === undefined ? 'a ws: or wss: URL, such as wss://example.com/ws' : undefined,
  }),
  ...HUB_ACCESS_OPTIONS,
};

export const doctorCommand: Command<DevConfig, OptionsOf<typeof flags>> = {
  uses: ['port', 'adminPort', 'hubPort', 'hubAdminPort', 'dir'],
  flags,
  summary:
    'Check this machine, the hub and a proxy, and say what is wrong and what to do. Exit code 1: a fault.',
  run: async (config, context) => {
    const url = httpUrl(config.url);
    const now = Date.now();
    const { access, findings: files } = checkAccessFiles(config);
    // Alone: it listens on the ports for a moment.
    const ports = await checkPorts(config);
    const [remoteMs, hub, proxy] = await Promise.all([
      url === undefined ? undefined : remoteTime(url, ANSWER_MS),
      checkHub(access, config.hub !== ''),
      checkProxy(url, ANSWER_MS),
    ]);
    const findings: readonly Finding[] = [
      checkNode(),
      checkOpenFiles(),
      ...ports,
      checkClock(now, remoteMs),
      checkStateFolder(config.dir),
      ...files,
      ...(access === undefined ? [] : checkCertificates(access, now)),
      hub,
      proxy,
    ];
    for (const { state, check, text } of findings) {
      context.print(`${state.padEnd(STATE_COLUMNS)} ${check.padEnd(CHECK_COLUMNS)} ${text}`);
    }
    const faults = findings.filter(({ state }) => state === 'fault').length;
    context.print(faults === 0 ? 'No faults.' : `Faults: ${faults}.`);
    return faults === 0 ? 0 : EXIT_FAULT;
  },
};

/** Columns of the longest state and of the longest name of a check. */
const STATE_COLUMNS = 7;
const CHECK_COLUMNS = 12;

/** Returns the URL for requests of the same server over HTTP; `undefined` for any other text. */
function httpUrl(text: string): URL | undefined {
  if (!/^wss?:/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text.replace(/^ws/i, 'http'));
}
