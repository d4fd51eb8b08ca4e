import { integerOption, type OptionsOf, textOption } from '@groupcast/options';
import { addressOption, LOG_OPTIONS } from '@groupcast/service';

const PORT = { min: 1, max: 65_535, unit: 'TCP port' } as const;

/** Flags and environment variables of `groupcast dev`. */
export const DEV_OPTIONS = {
  host: addressOption({
    default: '127.0.0.1',
    describe: 'Address for WebSockets. 0.0.0.0 lets other devices connect, without any login.',
  }),
  port: integerOption({ ...PORT, default: 1234, describe: 'Port for WebSockets and the welcome page.' }),
  adminPort: integerOption({
    ...PORT,
    default: 1235,
    describe: 'Port of the gateway for health, metrics and status, on 127.0.0.1.',
  }),
  hubPort: integerOption({ ...PORT, default: 2206, describe: 'Port of the hub, on 127.0.0.1.' }),
  hubAdminPort: integerOption({
    ...PORT,
    default: 2207,
    describe: 'Port of the hub for health, metrics and status, on 127.0.0.1.',
  }),
  workers: integerOption({
    default: 2,
    min: 1,
    max: 1_024,
    unit: 'processes',
    describe: 'Worker processes of the gateway, which hold the WebSockets.',
  }),
  dir: textOption({
    default: '.groupcast',
    valueName: 'FOLDER',
    describe: 'Folder for the state of the system; created if missing. Only its owner can read it.',
    check: (dir) => (dir === '' ? 'a folder, such as .groupcast' : undefined),
  }),
  ...LOG_OPTIONS,
};

/** Configuration of `groupcast dev`. */
export type DevConfig = OptionsOf<typeof DEV_OPTIONS>;

/** Checks options against each other. Returns one sentence for each problem. */
export function checkDevConfig({ port, adminPort, hubPort, hubAdminPort }: DevConfig): readonly string[] {
  const flags = new Map<number, string>();
  const problems: string[] = [];
  for (const [flag, number] of [
    ['--port', port],
    ['--admin-port', adminPort],
    ['--hub-port', hubPort],
    ['--hub-admin-port', hubAdminPort],
  ] as const) {
    const other = flags.get(number);
    if (other === undefined) flags.set(number, flag);
    else problems.push(`${other} and ${flag} are both ${number}. Choose another one for one of them.`);
  }
  return problems;
}
