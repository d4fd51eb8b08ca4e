import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '@groupcast/service';
import { certificateFile } from '@groupcast/testkit';
import { type CapturedCommand, captureCommand } from '@groupcast/testkit/in-process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { program } from '../src/cli/program.ts';

// What an operator mistypes: the exit code, and every sentence that the program answers with.

const folder = mkdtempSync(join(tmpdir(), 'groupcast-wrong-'));
const SECRET = 'a secret of sixteen bytes or more';

beforeAll(() => {
  write('secret', SECRET, 0o600);
  write('short', 'x', 0o600);
  write('white', ' \n\t ', 0o600);
  write('writable', SECRET, 0o622);
  write('of-group', SECRET, 0o620);
  write('readable', SECRET, 0o644);
  write('huge', 'x'.repeat(4_097), 0o600);
  write('empty', '', 0o600);
  mkdirSync(join(folder, 'folder'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string, mode: number): void {
  writeFileSync(join(folder, name), text);
  // The umask does not count for this.
  chmodSync(join(folder, name), mode);
}

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

/** Runs a command line. `$DIR` stands for the folder of the files above. */
function run(line: string, { env = {}, file }: Given = {}): Promise<CapturedCommand> {
  const argv = line.split(' ').map((argument) => argument.replace('$DIR', folder).replaceAll('␣', ' '));
  return captureCommand((io) => runCommand(program, argv, env, io), file);
}

function sentences(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `groupcast-hub: ${line.replaceAll('$DIR', folder)}`);
}

const HUB = certificateFile('hub.pem');
const KEY = certificateFile('hub.key.pem');
const TLS = `--tls-cert-file ${HUB} --tls-key-file ${KEY}`;

test.each([
  ['strat', 'unknown command "strat": did you mean start? groupcast-hub --help says more.'],
  ['--port 7', 'put the command first: groupcast-hub <command> [options].'],
  [
    'help',
    'unknown command "help": the commands are start, status, ban, unban, bans, gen-secret, gen-certs, check-config. groupcast-hub --help says more.',
  ],
  ['Start', 'unknown command "Start": did you mean start? groupcast-hub --help says more.'],
])('%s: no command, exit code 2', async (line, sentence) => {
  expect(await run(line)).toEqual({ code: 2, out: [], err: sentences([sentence]) });
});

// `check-config` makes every check of a start. Each of these lines is given to both.
const NOT_STARTED: readonly (readonly [flags: string, ...sentences: string[]])[] = [
  // Names and forms.
  ['--prot 7', 'Unknown option "--prot": did you mean --port?'],
  ['-p 7', 'Unknown option "-p": --help lists the options.'],
  ['--port', '--port needs a value: write --port=VALUE.'],
  ['--host --port 7', '--host needs a value: write --host=VALUE.'],
  ['port=7', 'Unexpected argument "port=7": --help shows how options are written.'],
  ['--insecure=yes', '--insecure takes no value: write --insecure or --no-insecure.'],
  ['--insecure true', 'Unexpected argument "true": --help shows how options are written.'],
  ['--no-port', 'Unknown option "--no-port": --help lists the options.'],
  // Twice.
  ['--port 7 --port 8', '--port is given twice ("7", "8"). Give it once.'],
  ['--insecure --no-insecure', '--insecure is given twice ("true", "false"). Give it once.'],
  ['--port 7 --port 8 --port 9', '--port is given 3 times ("7", "8", "9"). Give it once.'],
  ['--config a --config b', '--config is given twice ("a", "b"). Give it once.'],
  // Empty, as by a shell variable that is not set.
  ['--secret-file=', '--secret-file is empty. Give a value, or leave it out for the default.'],
  ['--unix-socket=', '--unix-socket is empty. Give a value, or leave it out for the default.'],
  ['--trust=,', '--trust is empty. Give a value, or leave it out for the default.'],
  ['--config=', '--config is empty. Give a value, or leave it out for the default.'],
  // Numbers.
  ['--port http', '--port "http": must be an integer from 0 to 65535.'],
  ['--port 65536', '--port "65536": must be an integer from 0 to 65535.'],
  ['--port=-1', '--port "-1": must be an integer from 0 to 65535.'],
  ['--port 1e3', '--port "1e3": must be an integer from 0 to 65535.'],
  ['--peers-max 0', '--peers-max "0": must be an integer from 1 to 1000000.'],
  ['--drain-seconds 5s', '--drain-seconds "5s": must be a number from 0 to 3600.'],
  ['--log-level verbose', '--log-level "verbose": must be one of debug, info, warn, error.'],
  ['--unix-socket-mode 777', '--unix-socket-mode "777": must be one of 600, 660, 666.'],
  // Addresses.
  ['--host=', '--host is empty. Give a value, or leave it out for the default.'],
  ['--host [::]', '--host "[::]": must be an address without brackets, such as :: or ::1.'],
  ['--admin-host [::1]', '--admin-host "[::1]": must be an address without brackets, such as :: or ::1.'],
  ['--host 10.0.0.5:2206', '--host "10.0.0.5:2206": must be an address or a host name without a port.'],
  ['--host 10.0.0.256', '--host "10.0.0.256": must be an address or a host name, such as 127.0.0.1.'],
  ['--host 0', '--host "0": must be an address or a host name, such as 127.0.0.1.'],
  ['--host ::1 --host ::', '--host "::1,::": must be addresses that differ: :: includes ::1.'],
  [
    '--host 127.0.0.1,127.0.0.1',
    '--host "127.0.0.1,127.0.0.1": must be addresses that differ: 127.0.0.1 is given twice.',
  ],
  ['--host *', '--host "*": must be an address or a host name, such as 127.0.0.1.'],
  ['--host ::g', '--host "::g": must be an address or a host name, such as 127.0.0.1.'],
  [
    '--host 0.0.0.0',
    'Without a secret, any host could connect to 0.0.0.0. Give --secret-file, or listen on 127.0.0.1, or accept all peers with --insecure.',
  ],
  ['--port 7 --admin-port 7', '--port and --admin-port are both 7. Choose another one for one of them.'],
  // Networks.
  [
    '--trust 10.1.2.3/16',
    '--trust "10.1.2.3/16": must be addresses or networks whose host bits are 0, such as 10.1.0.0/16.',
  ],
  [
    '--trust 1.2.3.4/0',
    '--trust "1.2.3.4/0": must be addresses or networks whose host bits are 0, such as 10.1.0.0/16.',
  ],
  [
    '--trust 2001:db8::1/32',
    '--trust "2001:db8::1/32": must be addresses or networks whose host bits are 0, such as 10.1.0.0/16.',
  ],
  [
    '--trust 10.1.0.0/33',
    '--trust "10.1.0.0/33": must be addresses or networks, each such as 10.1.2.3 or 10.1.0.0/16.',
  ],
  [
    '--trust localhost',
    '--trust "localhost": must be addresses or networks, each such as 10.1.2.3 or 10.1.0.0/16.',
  ],
  // Secrets.
  [
    '--secret-file /nowhere/secret',
    "--secret-file /nowhere/secret cannot be read: ENOENT: no such file or directory, stat '/nowhere/secret'.",
  ],
  [
    '--secret-file $DIR/short',
    '--secret-file $DIR/short has less than 16 bytes; make a secret with "groupcast-hub gen-secret".',
  ],
  [
    '--secret-file $DIR/white',
    '--secret-file $DIR/white has less than 16 bytes; make a secret with "groupcast-hub gen-secret".',
  ],
  [
    '--secret-file $DIR/huge',
    '--secret-file $DIR/huge cannot be read: it has 4097 bytes; the limit is 4096.',
  ],
  [
    '--secret-file $DIR/folder',
    '--secret-file $DIR/folder cannot be read: EISDIR: illegal operation on a directory, read.',
  ],
  [
    '--secret-file $DIR/writable',
    '--secret-file $DIR/writable can be written by other users, who could replace the secret. Run: chmod 600 $DIR/writable',
  ],
  [
    '--secret-file $DIR/of-group',
    '--secret-file $DIR/of-group can be written by other users, who could replace the secret. Run: chmod 600 $DIR/of-group',
  ],
  ['--secret-file a,b,c', '--secret-file "a,b,c": must be at most 2 files.'],
  [
    '--no-local-trust',
    '--no-local-trust needs --secret-file: without a secret, local peers have nothing to prove.',
  ],
  // TLS.
  [`--tls-cert-file ${HUB}`, '--tls-cert-file and --tls-key-file go together: give both or none.'],
  [
    `--tls-ca-file ${HUB}`,
    '--tls-ca-file needs --tls-cert-file and --tls-key-file: the hub has no certificate.',
  ],
  [`${TLS} --tls-ca-file $DIR/empty`, '--tls-ca-file $DIR/empty has no certificate in PEM form.'],
  [`${TLS} --tls-ca-file $DIR/secret`, '--tls-ca-file $DIR/secret has no certificate in PEM form.'],
  [
    `--tls-cert-file $DIR/empty --tls-key-file ${KEY}`,
    '--tls-cert-file $DIR/empty has no certificate in PEM form.',
  ],
  [`--tls-cert-file ${HUB} --tls-key-file $DIR/empty`, '--tls-key-file $DIR/empty is empty.'],
  // Options that do not go together.
  [
    '--history-bytes 2000000 --history-total-bytes 1048576',
    '--history-bytes is 2000000, which is above --history-total-bytes. Give at most 1048576 (bytes).',
  ],
  [
    '--queue-bytes 2000000 --queue-total-bytes 1048576',
    '--queue-bytes is 2000000, which is above --queue-total-bytes. Give at most 1048576 (bytes).',
  ],
  // Several at once.
  [
    '--prot 1 --port x --log-level y',
    'Unknown option "--prot": did you mean --port?',
    '--port "x": must be an integer from 0 to 65535.',
    '--log-level "y": must be one of debug, info, warn, error.',
  ],
];

test.each(NOT_STARTED)('%s: exit code 1 from check-config and from start', async (flags, ...expected) => {
  const answer = { code: 1, out: [], err: sentences(expected) };
  expect(await run(`check-config ${flags}`)).toEqual(answer);
  expect(await run(`start ${flags}`)).toEqual(answer);
});

test.each<[name: string, given: Given, sentence: string]>([
  [
    'a variable of a Kubernetes Service',
    { env: { GROUPCAST_HUB_PORT: 'tcp://10.0.0.1:2206' } },
    'GROUPCAST_HUB_PORT="tcp://10.0.0.1:2206": must be an integer from 0 to 65535.',
  ],
  [
    'a number as a text in the file',
    { file: '{"port":"80"}' },
    '"port": "80" in "hub.json": must be an integer from 0 to 65535.',
  ],
  [
    'a flag in place of a key',
    { file: '{"drain-seconds":1}' },
    'Unknown key "drain-seconds" in "hub.json": did you mean drainSeconds?',
  ],
  [
    'a list as the file',
    { file: '[]' },
    'Config file "hub.json" must hold one JSON object, such as {"port": 2206}.',
  ],
  [
    'brackets in the file',
    { file: '{"host":"[::1]"}' },
    '"host": "[::1]" in "hub.json": must be an address without brackets, such as :: or ::1.',
  ],
])('%s: exit code 1 from check-config and from start', async (_name, given, sentence) => {
  const flags = given.file === undefined ? '' : ' --config hub.json';
  const answer = { code: 1, out: [], err: sentences([sentence]) };
  expect(await run(`check-config${flags}`, given)).toEqual(answer);
  expect(await run(`start${flags}`, given)).toEqual(answer);
});

test.each([
  [
    'status --drain-seconds 1',
    'status does not use --drain-seconds. Its options are --admin-host, --admin-port, --json, --watch, --config.',
  ],
  [
    'status --no-local-trust',
    'status does not use --no-local-trust. Its options are --admin-host, --admin-port, --json, --watch, --config.',
  ],
  ['status --jsn', 'Unknown option "--jsn": did you mean --json?'],
  ['start --json', 'Unknown option "--json": --help lists the options.'],
  ['gen-secret --port 7', 'gen-secret does not use --port. It has no options.'],
  ['gen-secret --config a', 'gen-secret does not use --config. It has no options.'],
  ['gen-secret extra', 'Unexpected argument "extra": --help shows how options are written.'],
  ['gen-certs --port 7', 'gen-certs does not use --port. Its options are --dir, --host, --days.'],
  [
    'gen-certs',
    '--dir FOLDER is missing: the folder for the files.',
    '--host ADDRESS is missing: the addresses at which gateways reach the hub.',
  ],
  [
    'gen-certs --dir $DIR --host a␣b',
    '--host "a b": must be addresses or names of hosts, such as 10.0.0.5,hub.example.com.',
  ],
  [
    'status --admin-port 1',
    'Nothing answers on 127.0.0.1:1; is groupcast-hub running? --admin-host and --admin-port say where to ask.',
  ],
])('%s: exit code 1', async (line, ...expected) => {
  expect(await run(line)).toEqual({ code: 1, out: [], err: sentences(expected) });
});

test.each([
  [
    '--trust 0.0.0.0/0',
    'warning: --trust 0.0.0.0/0 trusts every address: any host that reaches the port reads and writes every group.',
  ],
  [
    '--trust ::/0',
    'warning: --trust ::/0 trusts every address: any host that reaches the port reads and writes every group.',
  ],
  [
    '--secret-file $DIR/readable',
    'warning: $DIR/readable can be read by other users; run: chmod 600 $DIR/readable',
  ],
])('%s may be meant: a warning, and exit code 0', async (flags, sentence) => {
  const { code, err } = await run(`check-config ${flags}`);
  expect([code, err]).toEqual([0, [sentence.replaceAll('$DIR', folder)]]);
});
