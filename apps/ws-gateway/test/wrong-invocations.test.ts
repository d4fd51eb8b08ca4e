import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '@groupcast/service';
import { certificateFile } from '@groupcast/testkit';
import { type CapturedCommand, captureCommand } from '@groupcast/testkit/in-process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ORIGIN_FORMS } from '../src/accept/origin.ts';
import { program } from '../src/cli/program.ts';

// What an operator mistypes: the exit code, and every sentence that the program answers with.

const folder = mkdtempSync(join(tmpdir(), 'groupcast-wrong-'));
const SECRET = 'a secret of sixteen bytes or more';

beforeAll(() => {
  write('secret', SECRET, 0o600);
  write('short', 'x', 0o600);
  write('writable', SECRET, 0o602);
  write('readable', SECRET, 0o640);
  write('empty', '', 0o600);
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string, mode: number): void {
  writeFileSync(join(folder, name), text);
  // The umask does not count for this.
  chmodSync(join(folder, name), mode);
}

/** Runs a command line. `$DIR` stands for the folder of the files above. */
function run(line: string, env: Readonly<Record<string, string>> = {}): Promise<CapturedCommand> {
  const argv = line.split(' ').map((argument) => argument.replace('$DIR', folder));
  return captureCommand((io) => runCommand(program, argv, env, io));
}

function sentences(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `groupcast-gateway: ${line.replaceAll('$DIR', folder)}`);
}

const CERT = certificateFile('peer.pem');
const KEY = certificateFile('peer.key.pem');

// `check-config` makes every check of a start. Each of these lines is given to both.
const NOT_STARTED: readonly (readonly [flags: string, ...sentences: string[]])[] = [
  // Names and forms.
  ['--worker 2', 'Unknown option "--worker": did you mean --workers?'],
  ['-w 2', 'Unknown option "-w": --help lists the options.'],
  ['--workers --port 7', '--workers needs a value: write --workers=VALUE.'],
  ['start', 'Unexpected argument "start": --help shows how options are written.'],
  ['--welcome-page=no', '--welcome-page takes no value: write --welcome-page or --no-welcome-page.'],
  ['--hub-tls true', 'Unexpected argument "true": --help shows how options are written.'],
  // Twice or empty.
  ['--hub a:1 --hub b:1', '--hub is given twice ("a:1", "b:1"). Give it once.'],
  ['--hub-tls --hub-tls', '--hub-tls is given twice ("true", "true"). Give it once.'],
  ['--allowed-origins=', '--allowed-origins is empty. Give a value, or leave it out for the default.'],
  ['--secret-file=', '--secret-file is empty. Give a value, or leave it out for the default.'],
  // Proxies and TLS for clients.
  [
    '--proxy-protocol-port 7',
    '--proxy-protocol-port needs --trusted-proxy, which names the proxies that may connect to it.',
  ],
  [
    '--proxy-protocol-port 1234 --trusted-proxy 10.0.0.7',
    '--proxy-protocol-port and --port are both 1234. Choose another one for one of them.',
  ],
  [
    '--proxy-protocol-port 1235 --trusted-proxy 10.0.0.7',
    '--proxy-protocol-port and --admin-port are both 1235. Choose another one for one of them.',
  ],
  [`--tls-cert-file ${CERT}`, '--tls-cert-file and --tls-key-file go together: give both or none.'],
  // Numbers.
  ['--workers all', '--workers "all": must be an integer from 0 to 1024.'],
  ['--workers 1.5', '--workers "1.5": must be an integer from 0 to 1024.'],
  ['--workers 2000', '--workers "2000": must be an integer from 0 to 1024.'],
  ['--port 0x50', '--port "0x50": must be an integer from 0 to 65535.'],
  ['--drain-seconds=-1', '--drain-seconds "-1": must be a number from 0 to 3600.'],
  ['--messages-per-second 0', '--messages-per-second "0": must be a number from 1 to 1000000.'],
  ['--heartbeat-seconds 0', '--heartbeat-seconds "0": must be a number from 1 to 3600.'],
  ['--header-bytes-max 16K', '--header-bytes-max "16K": must be an integer from 4096 to 1048576.'],
  ['--log-format text', '--log-format "text": must be one of auto, json, pretty.'],
  // Addresses.
  ['--host [::]', '--host "[::]": must be an address without brackets, such as :: or ::1.'],
  ['--host ws://a', '--host "ws://a": must be an address or a host name, such as 127.0.0.1.'],
  [
    '--host 127.0.0.1 --host 10.0.0.5 --port 0',
    'createGateway: option port is 0, and each host would have a port of its own. Give a port, or one host.',
  ],
  [
    '--host 0.0.0.0 --host 10.0.0.5',
    '--host "0.0.0.0,10.0.0.5": must be addresses that differ: 0.0.0.0 includes 10.0.0.5.',
  ],
  ['--host 0.0.0.0:1234', '--host "0.0.0.0:1234": must be an address or a host name without a port.'],
  [
    '--hub 10.0.0.5',
    '--hub "10.0.0.5": must be an address and a port, such as 10.0.0.5:2206, or unix: and a file.',
  ],
  [
    '--hub ::1:2206',
    '--hub "::1:2206": must be an address and a port, such as 10.0.0.5:2206, or unix: and a file.',
  ],
  [
    '--hub tcp://10.0.0.5:2206',
    '--hub "tcp://10.0.0.5:2206": must be an address and a port, such as 10.0.0.5:2206, or unix: and a file.',
  ],
  [
    '--hub 10.0.0.5:0',
    '--hub "10.0.0.5:0": must be an address and a port, such as 10.0.0.5:2206, or unix: and a file.',
  ],
  [
    '--hub 10.0.0.500:2206',
    '--hub "10.0.0.500:2206": must be an address and a port, such as 10.0.0.5:2206, or unix: and a file.',
  ],
  [
    '--hub unix:',
    '--hub "unix:": must be an address and a port, such as 10.0.0.5:2206, or unix: and a file.',
  ],
  ['--port 7 --admin-port 7', '--port and --admin-port are both 7. Choose another one for one of them.'],
  [
    '--trusted-proxy 10.0.0.7/8',
    '--trusted-proxy "10.0.0.7/8": must be addresses or networks whose host bits are 0, such as 10.1.0.0/16.',
  ],
  // Origins.
  [
    '--allowed-origins example.com',
    '--allowed-origins "example.com": must be origins, each as one of: $FORMS.',
  ],
  [
    '--allowed-origins https://example.com/chat',
    '--allowed-origins "https://example.com/chat": must be origins, each as one of: $FORMS.',
  ],
  // Secrets and TLS.
  [
    '--secret-file /nowhere/secret',
    "--secret-file /nowhere/secret cannot be read: ENOENT: no such file or directory, stat '/nowhere/secret'.",
  ],
  [
    '--secret-file $DIR/short',
    '--secret-file $DIR/short has less than 16 bytes; make a secret with "groupcast-hub gen-secret".',
  ],
  [
    '--secret-file $DIR/writable',
    '--secret-file $DIR/writable can be written by other users, who could replace the secret. Run: chmod 600 $DIR/writable',
  ],
  [
    `--hub-tls-ca-file ${CERT}`,
    'Files for TLS with the hub are named, but TLS is off: give --hub-tls as well.',
  ],
  [
    `--hub-tls --hub-tls-cert-file ${CERT}`,
    '--hub-tls-cert-file and --hub-tls-key-file go together: give both or none.',
  ],
  ['--hub-tls --hub-tls-ca-file $DIR/empty', '--hub-tls-ca-file $DIR/empty has no certificate in PEM form.'],
  [
    `--hub-tls --hub-tls-cert-file ${KEY} --hub-tls-key-file ${KEY}`,
    `--hub-tls-cert-file ${KEY} has no certificate in PEM form.`,
  ],
  // Options that do not go together.
  [
    '--client-buffer-bytes 65536 --group-bytes-burst 1 --message-bytes-max 65537',
    '--message-bytes-max is 65537, which is above --client-buffer-bytes. Give at most 65536 (bytes), or raise --client-buffer-bytes.',
  ],
];

test.each(NOT_STARTED)('%s: exit code 1 from check-config and from start', async (flags, ...expected) => {
  const answer = {
    code: 1,
    out: [],
    err: sentences(expected).map((line) => line.replace('$FORMS', ORIGIN_FORMS)),
  };
  expect(await run(`check-config ${flags}`)).toEqual(answer);
  expect(await run(`start ${flags}`)).toEqual(answer);
});

test('a variable of a Kubernetes Service is invalid, for check-config and for start', async () => {
  const env = { GROUPCAST_GATEWAY_PORT: 'tcp://10.0.0.1:1234' };
  const sentence = 'GROUPCAST_GATEWAY_PORT="tcp://10.0.0.1:1234": must be an integer from 0 to 65535.';
  const answer = { code: 1, out: [], err: sentences([sentence]) };
  expect(await run('check-config', env)).toEqual(answer);
  expect(await run('start', env)).toEqual(answer);
});

const ADMIN = 'Its options are --admin-host, --admin-port, --config.';

test.each([
  ['reload --drain-seconds 1', `reload does not use --drain-seconds. ${ADMIN}`],
  ['reload --workers 4', `reload does not use --workers. ${ADMIN}`],
  ['stop --no-welcome-page', `stop does not use --no-welcome-page. ${ADMIN}`],
  [
    'status --port 7',
    'status does not use --port. Its options are --admin-host, --admin-port, --json, --watch, --config.',
  ],
  [
    'reload --admin-port 1',
    'Nothing answers on 127.0.0.1:1; is groupcast-gateway running? --admin-host and --admin-port say where to ask.',
  ],
  [
    'stop --admin-port 1',
    'Nothing answers on 127.0.0.1:1; is groupcast-gateway running? --admin-host and --admin-port say where to ask.',
  ],
  [
    'stop --admin-host 192.0.2.1',
    '--admin-host 192.0.2.1 is not an address of this machine: run this command where the gateway runs.',
  ],
])('%s: exit code 1', async (line, sentence) => {
  expect(await run(line)).toEqual({ code: 1, out: [], err: sentences([sentence]) });
});

test.each([
  ['restart', 'unknown command "restart": did you mean start? groupcast-gateway --help says more.'],
  ['gen-certs', 'unknown command "gen-certs": the commands are'],
])('%s: no command, exit code 2', async (line, sentence) => {
  const { code, err } = await run(line);
  expect([code, err]).toEqual([2, [expect.stringContaining(sentence)]]);
});

test.each([
  [
    '--trusted-proxy 0.0.0.0/0',
    'warning: --trusted-proxy 0.0.0.0/0 trusts every address: any client can claim the address of another.',
  ],
  [
    '--secret-file $DIR/readable',
    'warning: $DIR/readable can be read by other users; run: chmod 600 $DIR/readable',
  ],
])('%s may be meant: a warning, and exit code 0', async (flags, sentence) => {
  const { code, err } = await run(`check-config ${flags}`);
  expect([code, err]).toEqual([0, [sentence.replaceAll('$DIR', folder)]]);
});
