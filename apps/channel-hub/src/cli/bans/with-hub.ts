import {
  type HubClient,
  type HubClientOptionsInput,
  type HubClientTls,
  openHubClient,
} from '@groupcast/hub-client';
import { type OptionsOf, textOption } from '@groupcast/options';
import { ProtocolError } from '@groupcast/protocol';
import { type CommandContext, formatAddress, readSecretFiles, readTlsFiles } from '@groupcast/service';
import type { HubConfig } from '../../config.ts';
import { readTls } from '../prepare.ts';

/** Options of the hub by which a command finds it, and proves its secret. */
export const ACCESS_OPTIONS = [
  'host',
  'port',
  'unixSocket',
  'secretFile',
  'tlsCertFile',
  'tlsKeyFile',
  'tlsCaFile',
] as const satisfies readonly (keyof HubConfig)[];

/** Flags of a command that connects to the hub. */
export const ACCESS_FLAGS = {
  hubCaFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: "PEM file with the CA of the hub's certificate. Default: --tls-ca-file, or its own chain.",
  }),
  peerCertFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the certificate of this command, for a hub with --tls-ca-file.',
  }),
  peerKeyFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the key of that certificate.',
  }),
};

export type AccessConfig = HubConfig & OptionsOf<typeof ACCESS_FLAGS>;

/** Loopback for a hub that listens on every address. */
const EVERY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

const PEER_FLAGS = { cert: '--peer-cert-file', key: '--peer-key-file', ca: '--hub-ca-file' } as const;

const EXIT_FAILED = 1;

/**
 * Runs a command as a peer of the running hub, and closes the link. Resolves with the exit code; an
 * error of the hub is printed.
 */
export async function withHub(
  config: AccessConfig,
  name: string,
  { printError }: Pick<CommandContext<HubConfig>, 'printError'>,
  run: (hub: HubClient) => Promise<void>,
): Promise<number> {
  const access = accessOf(config);
  const address = access.path ?? formatAddress(access.host ?? '', access.port ?? 0);
  try {
    const hub = await openHubClient({ ...access, name: `${name} pid ${process.pid}` });
    try {
      await run(hub);
      return 0;
    } finally {
      hub.close();
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    printError(`groupcast-hub: The hub at ${address} did not do it: ${error.message}`);
    return EXIT_FAILED;
  }
}

/** Returns how a peer on this host connects to a hub with this configuration. */
function accessOf(config: AccessConfig): HubClientOptionsInput {
  const { host, port, unixSocket, secretFile } = config;
  const { secrets } = readSecretFiles(secretFile);
  const secret = secrets[0] ?? '';
  if (unixSocket !== '') return { path: unixSocket, secret };
  const [first = '127.0.0.1'] = host;
  return { host: EVERY_ADDRESS[first] ?? first, port, secret, tls: tlsOf(config) };
}

/** Returns the TLS of a peer. Without a CA it trusts the files of the hub. */
function tlsOf(config: AccessConfig): HubClientTls | undefined {
  const tls = readTls(config);
  if (tls === undefined) return undefined;
  const { hubCaFile: ca, peerCertFile: cert, peerKeyFile: key } = config;
  const peer = readTlsFiles({ cert, key, ca }, PEER_FLAGS);
  return { ca: [tls.cert, tls.ca ?? ''].join('\n'), ...peer };
}
