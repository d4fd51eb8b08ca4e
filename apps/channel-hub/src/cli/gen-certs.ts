import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { integerOption, listOption, type OptionsOf, textOption } from '@groupcast/options';
import { type Command, ConfigError } from '@groupcast/service';
import { CERTIFICATE_FILES, makeCertificates } from './certificates.ts';

const HOST_NAME = /^[a-zA-Z0-9-]{1,63}(\.[a-zA-Z0-9-]{1,63}){0,126}$/;

const flags = {
  dir: textOption({
    default: '',
    valueName: 'FOLDER',
    describe: 'Output folder; created if missing. Existing files are never overwritten.',
  }),
  host: listOption({
    default: [],
    valueName: 'ADDRESS',
    describe: 'Addresses and names at which gateways reach the hub, as in their --hub.',
    check: (hosts) =>
      hosts.every(isHost) ? undefined : 'addresses or names of hosts, such as 10.0.0.5,hub.example.com',
  }),
  days: integerOption({
    default: 3_650,
    min: 1,
    max: 36_500,
    unit: 'days',
    describe: 'Days of validity of the certificates; later no link can be opened.',
  }),
};

export const genCertsCommand: Command<object, OptionsOf<typeof flags>> = {
  uses: [],
  flags,
  summary:
    'Create the TLS certificates of a hub and its gateways: ca.pem, hub.pem, hub.key, gateway.pem, gateway.key.',
  run: async ({ dir, host, days }, context) => {
    const problems = [];
    if (dir === '') problems.push('--dir FOLDER is missing: the folder for the files.');
    if (host.length === 0)
      problems.push('--host ADDRESS is missing: the addresses at which gateways reach the hub.');
    const present = dir === '' ? [] : CERTIFICATE_FILES.filter((name) => existsSync(join(dir, name)));
    if (present.length > 0) {
      problems.push(
        `${present.join(', ')} in ${dir} would be overwritten. Choose another folder, or remove them.`,
      );
    }
    if (problems.length > 0) throw new ConfigError(problems);
    const files = await makeCertificates(host, days);
    try {
      mkdirSync(dir, { recursive: true });
      for (const name of CERTIFICATE_FILES) {
        const path = join(dir, name);
        writeFileSync(path, files[name], { flag: 'wx', mode: name.endsWith('.key') ? 0o600 : 0o644 });
        context.print(path);
      }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigError([`Cannot write the certificates to ${dir}: ${reason}.`], { cause });
    }
    return 0;
  },
};

function isHost(text: string): boolean {
  return isIP(text) !== 0 || HOST_NAME.test(text);
}
