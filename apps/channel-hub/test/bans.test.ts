import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHubClient } from '@groupcast/hub-client';
import { runCommand } from '@groupcast/service';
import { CERTIFICATES, certificateFile } from '@groupcast/testkit';
import { type CapturedCommand, captureCommand } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { program } from '../src/cli/program.ts';
import { type RunningHub, startHub } from '../testing/start-hub.ts';

const SECRET = 'a-secret-of-at-least-16-bytes';

let folder: string;
let hub: RunningHub;
let access: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'groupcast-bans-'));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, SECRET, { mode: 0o600 });
  hub = await startHub({ secret: SECRET, unixSocket: { path: join(folder, 'hub.sock'), mode: 0o600 } });
  access = [`--port=${hub.port}`, `--secret-file=${secretFile}`];
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(...argv: string[]): Promise<CapturedCommand> {
  return captureCommand((io) => runCommand(program, [...argv, ...access], {}, io));
}

async function rows(): Promise<object[]> {
  const { code, out, err } = await run('bans', '--json');
  expect([code, err]).toEqual([0, []]);
  return out.map((line) => JSON.parse(line) as object);
}

test('bans are made, listed and ended at the running hub', async () => {
  expect((await run('bans')).out).toEqual(['No bans.']);
  const made = [
    await run('ban', '--uid=ann', '--for=1h', '--reason=Spam.', '--by=bob'),
    await run('ban', '--group=room', '--uid=carl', '--by=bob'),
    await run('ban', '--address=::ffff:10.1.0.0/112', '--by=bob'),
    await run('ban', '--token-id=t-1', '--by=bob'),
    await run('ban', '--uid=dora', '--not-before=1790000000', '--by=bob'),
  ];
  expect(made.map(({ code, out, err }) => [code, ...out, ...err])).toEqual([
    [0, expect.stringMatching(/^Banned user ann until 20\d\d-.*Z\.$/)],
    [0, 'Banned user carl in group room.'],
    [0, 'Banned address ::ffff:10.1.0.0/112.'],
    [0, 'Banned token t-1.'],
    [0, 'Revoked the tokens of user dora from before 2026-09-21T14:13:20Z.'],
  ]);
  const since = expect.stringMatching(/^20/);
  expect(new Set(await rows())).toEqual(
    new Set([
      { uid: 'ann', reason: 'Spam.', by: 'bob', since, endsInSeconds: expect.any(Number) },
      { group: 'room', uid: 'carl', by: 'bob', since },
      { address: '10.1.0.0/16', by: 'bob', since },
      { tokenId: 't-1', by: 'bob', since },
      { uid: 'dora', notBefore: 1_790_000_000, by: 'bob', since },
    ]),
  );
  const [table = ''] = (await run('bans')).out;
  expect(table).toMatch(/user carl in group room +20/);
  expect((await run('unban', '--uid=ann')).out).toEqual(['Unbanned user ann.']);
  await run('unban', '--group=room', '--uid=carl');
  expect(await rows()).toHaveLength(3);
});

test('the hub logs each change of a ban, with its author', async () => {
  await run('ban', '--group=room', '--uid=ann', '--for=90s', '--reason=Spam\u001b', '--by=bob');
  await run('unban', '--group=room', '--uid=ann', '--by=carl');
  const client = await openHubClient({ port: hub.port, secret: SECRET });
  await client.keyed('$bans').set('uid:ann', '[]');
  await client.kick('room', 'ann');
  client.close();
  const lines = hub.lines.filter(({ fields }) => 'ban' in fields);
  const member = { ban: 'member:room\\nann', name: expect.stringMatching(/^groupcast-hub /) };
  expect(lines).toEqual([
    line('info', 'Banned', { ...member, by: 'bob', reason: 'Spam\\x1b', seconds: 90 }),
    line('info', 'Unbanned', { ...member, by: 'carl', reason: '' }),
    line('warn', 'An invalid ban was published; gateways ignore it', { ban: 'uid:ann', by: '' }),
  ]);
});

function line(level: string, message: string, fields: object): object {
  return { level, message, fields: expect.objectContaining(fields) };
}

test('they use the Unix socket of the hub, if it has one', async () => {
  access = [`--unix-socket=${join(folder, 'hub.sock')}`, access[1] ?? ''];
  expect((await run('ban', '--uid=ann')).err).toEqual([]);
  expect(await rows()).toMatchObject([{ uid: 'ann' }]);
});

test('they use TLS, and show a certificate of their own where the hub asks for one', async () => {
  const { ca, hub: own } = CERTIFICATES;
  const files = [
    `--tls-cert-file=${certificateFile('hub.pem')}`,
    `--tls-key-file=${certificateFile('hub.key.pem')}`,
  ];
  const caFile = certificateFile('ca.pem');
  const peer = [
    `--peer-cert-file=${certificateFile('peer.pem')}`,
    `--peer-key-file=${certificateFile('peer.key.pem')}`,
  ];
  const plain = await startHub({ tls: own });
  access = [`--port=${plain.port}`, ...files, `--hub-ca-file=${caFile}`];
  expect(await run('ban', '--uid=ann')).toMatchObject({ code: 0, err: [] });
  const mutual = await startHub({ tls: { ...own, ca } });
  access = [`--port=${mutual.port}`, ...files, `--tls-ca-file=${caFile}`];
  expect(await run('ban', '--uid=ann')).toMatchObject({ code: 1, out: [] });
  access.push(...peer);
  expect(await run('ban', '--uid=ann')).toMatchObject({ code: 0, err: [] });
});

test('--not-before=now revokes the tokens of this second as well', async () => {
  const before = Math.floor(Date.now() / 1_000);
  await run('ban', '--uid=ann', '--not-before=now');
  const [row] = await rows();
  expect((row as { notBefore: number }).notBefore).toBeGreaterThan(before);
});

test.each([
  [['ban'], /Give --uid, --address or --token-id, or --group and --uid\./],
  [['unban', '--uid=ann', '--token-id=t'], /one of uid, address/],
  [['ban', '--group=room'], /needs its uid/],
  [['ban', '--uid=a*'], /without \*/],
  [['ban', '--address=10.1.2.3/16'], /Write 10\.1\.0\.0\/16\./],
  [['ban', '--uid=ann', '--for=1w'], /a duration such as/],
  [['ban', '--uid=ann', '--for=0'], /a duration such as/],
  [['ban', '--uid=ann', '--for=3651d'], /at most 315360000 seconds/],
  [['ban', '--uid=ann', '--not-before=today'], /now, or seconds since 1970/],
  [['ban', '--token-id=t', '--not-before=now'], /only for a ban of a uid/],
  [['ban', '--uid=ann', `--reason=${'x'.repeat(124)}`], /at most 123 bytes/],
  [['bans', '--uid=ann'], /--uid/],
])('%j is an error of the command line', async (argv, sentence) => {
  const { code, out, err } = await run(...argv);
  expect([code, out]).toEqual([1, []]);
  expect(err.join('\n')).toMatch(sentence);
});

test('another secret, and a hub that is not there, are errors that say so', async () => {
  writeFileSync(join(folder, 'secret'), 'another-secret-of-16-bytes', { mode: 0o600 });
  const wrong = await run('ban', '--uid=ann');
  expect(wrong).toMatchObject({ code: 1, out: [] });
  expect(wrong.err.join()).toMatch(/secret/);
  await hub.hub.close();
  const gone = await run('bans');
  expect(gone).toMatchObject({ code: 1, out: [] });
  expect(gone.err.join()).toMatch(/^groupcast-hub: The hub at 127\.0\.0\.1:\d+ did not do it: /);
});
