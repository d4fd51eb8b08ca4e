import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, runCommand } from '@groupcast/service';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HUB_OPTIONS, type HubConfig } from '../config.ts';
import { makeCertificates } from './certificates.ts';
import { prepareHub } from './prepare.ts';
import { program } from './program.ts';

/** Runs a command, and returns its exit code and the lines that it wrote to stderr. */
async function run(command: string, flags: readonly string[]): Promise<[code: number, problems: string[]]> {
  const problems: string[] = [];
  const code = await runCommand(
    program,
    [command, ...flags],
    {},
    {
      print: () => {},
      printError: (text) => void problems.push(text),
      readFile: () => '',
    },
  );
  return [code, problems];
}

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-prepare-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

test.each([
  ['an address of others without a secret', ['--host=0.0.0.0'], /any host could connect to 0\.0\.0\.0/],
  ['a missing secret file', ['--secret-file=/nowhere/secret'], /\/nowhere\/secret cannot be read: ENOENT/],
  [
    'a missing certificate',
    ['--tls-cert-file=/nowhere/c', '--tls-key-file=/nowhere/k'],
    /\/nowhere\/c cannot/,
  ],
  [
    'a certificate without its key',
    ['--tls-cert-file=/nowhere/c'],
    /--tls-cert-file and --tls-key-file go tog/,
  ],
  ['a missing CA', ['--tls-ca-file=/nowhere/ca'], /\/nowhere\/ca cannot be read: ENOENT/],
  ['one port twice', ['--admin-port=2206'], /--port and --admin-port are both 2206/],
  ['no trust and no secret', ['--no-local-trust'], /--no-local-trust needs --secret-file/],
  [
    'more history for one channel than for all',
    ['--history-total-bytes=1048576', '--history-bytes=1048577'],
    /--history-bytes is 1048577/,
  ],
  [
    'a missing file of namespaces',
    ['--namespaces-file=/nowhere/namespaces'],
    /--namespaces-file \/nowhere\/namespaces cannot be read: ENOENT/,
  ],
])('check-config and start report %s, with the same sentence', async (_name, flags, sentence) => {
  const [code, problems] = await run('check-config', flags);
  expect([code, problems]).toEqual([1, [expect.stringMatching(sentence)]]);
  expect(await run('start', flags)).toEqual([1, problems]);
});

test('check-config reports every problem at once', async () => {
  const [code, problems] = await run('check-config', [
    ...['--host=0.0.0.0', '--port=7', '--admin-port=7'],
    ...['--tls-ca-file=/nowhere/ca'],
  ]);
  expect(code).toBe(1);
  expect(problems.map((problem) => problem.slice(0, 40))).toEqual([
    'groupcast-hub: --port and --admin-port a',
    'groupcast-hub: --tls-ca-file /nowhere/ca',
    'groupcast-hub: Without a secret, any hos',
  ]);
});

test('check-config prints the warnings of a start', async () => {
  const secret = fileWith('a secret of sixteen bytes or more');
  const [code, problems] = await run('check-config', ['--host=0.0.0.0', `--secret-file=${secret}`]);
  expect(code).toBe(0);
  expect(problems).toEqual([expect.stringMatching(/^warning: The secret is used on 0\.0\.0\.0 without TLS/)]);
});

test('each value goes to its option of the libraries', () => {
  const argv = [
    ...[
      '--port=7',
      '--frame-bytes-max=600000',
      '--peers-max=5',
      '--heartbeat-seconds=1.5',
      '--no-direct-sockets',
    ],
    ...['--peer-buffer-bytes=8388608', '--queue-items-max=9', '--queue-visibility-seconds=2.5'],
    ...['--unix-socket=/run/hub.sock', '--unix-socket-mode=660', '--trust=10.0.0.0/8'],
  ];
  const { config } = readConfig(program, { argv, env: {}, readFile: () => '' });
  expect(prepareHub(config).options).toMatchObject({
    ...{ port: 7, frameBytesMax: 600_000, peersMax: 5, heartbeatMs: 1_500, trust: ['10.0.0.0/8'] },
    link: { bufferBytesMax: 8_388_608, bufferBytesSoft: 2_097_152, directSockets: false },
    queues: { itemsMax: 9, visibilityMs: 2_500, leasedBytesMax: 1_048_576 },
    unixSocket: { path: '/run/hub.sock', mode: 0o660 },
  });
});

test('the help of each option is one short text', () => {
  for (const [name, { describe }] of Object.entries(HUB_OPTIONS)) {
    expect(describe, name).toMatch(/^[A-Z].{10,99}[.]$/);
  }
});

describe('certificates', () => {
  /** Makes certificates that end after `days`, and returns the flags that name them. */
  async function flagsFor(days: number): Promise<{ flags: string[]; cert: string; ca: string; end: string }> {
    const files = await makeCertificates(['127.0.0.1'], days);
    const [cert, key, ca] = [
      fileWith(files['hub.pem']),
      fileWith(files['hub.key']),
      fileWith(files['ca.pem']),
    ];
    const flags = [`--tls-cert-file=${cert}`, `--tls-key-file=${key}`, `--tls-ca-file=${ca}`];
    const end = new Date(new X509Certificate(files['hub.pem']).validTo).toISOString().replace('.000Z', 'Z');
    return { flags, cert, ca, end };
  }

  test('that have expired are errors of check-config and of start', async () => {
    const { flags, cert, ca, end } = await flagsFor(-0.5);
    const problems = [
      `groupcast-hub: --tls-cert-file ${cert} has expired on ${end}. Renew it.`,
      `groupcast-hub: --tls-ca-file ${ca} has expired on ${end}. Renew it.`,
    ];
    expect(await run('check-config', flags)).toEqual([1, problems]);
    expect(await run('start', flags)).toEqual([1, problems]);
  });

  test('that expire within 30 days cause warnings', async () => {
    const { flags, cert, ca, end } = await flagsFor(29);
    expect(await run('check-config', flags)).toEqual([
      0,
      [
        `warning: --tls-cert-file ${cert} expires on ${end}. Renew it before.`,
        `warning: --tls-ca-file ${ca} expires on ${end}. Renew it before.`,
      ],
    ]);
  });

  test('are in the file of a chain together: the first end counts, and the last of authorities', async () => {
    const [long, short] = [
      await makeCertificates(['127.0.0.1'], 400),
      await makeCertificates(['127.0.0.1'], 40),
    ];
    const config: HubConfig = {
      ...readConfig(program, { argv: [], env: {}, readFile: () => '' }).config,
      tlsCertFile: fileWith(`${long['hub.pem']}\n${short['ca.pem']}`),
      tlsKeyFile: fileWith(long['hub.key']),
      tlsCaFile: fileWith(`${short['ca.pem']}\n${long['ca.pem']}`),
    };
    const until = (pem: string): number => Date.parse(new X509Certificate(pem).validTo);
    expect(prepareHub(config).certificates.map(({ untilMs }) => untilMs)).toEqual([
      until(short['ca.pem']),
      until(long['ca.pem']),
    ]);
  });
});

test('check-config reports every fault of the namespaces, and bounds above those of the hub', async () => {
  const faulty = fileWith('[{"prefix":"$a"},{"prefix":"","ephemeral":1}]');
  expect(await run('check-config', [`--namespaces-file=${faulty}`])).toEqual([
    1,
    [
      expect.stringContaining('[0].prefix is "$a". Give'),
      expect.stringContaining('[1].ephemeral is 1. Give true or false.'),
    ],
  ]);
  const large = fileWith('[{"prefix":"","history":{"bytes":2000000},"message_bytes_max":1000000}]');
  const flags = ['--history-total-bytes=1048576', '--history-bytes=1048576', '--frame-bytes-max=524288'];
  const above = (field: string, flag: string) => expect.stringContaining(`${field}, which is above ${flag}.`);
  expect(await run('check-config', [...flags, `--namespaces-file=${large}`])).toEqual([
    1,
    [
      above('[0].message_bytes_max is 1000000', '--frame-bytes-max'),
      above('[0].history.bytes is 2000000', '--history-total-bytes'),
    ],
  ]);
  expect(await run('check-config', [`--namespaces-file=${fileWith('[]')}`])).toEqual([0, []]);
});
