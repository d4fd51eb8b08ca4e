import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adminRequest,
  freePort,
  killAll,
  launchHub,
  outerAddress,
  REPOSITORY,
  startHub,
  startProcess,
  type TestProcess,
} from '@groupcast/testkit';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { JsonPeer } from '../testing/json-peer.ts';
import { NativePeer } from '../testing/native-peer.ts';
import { connectRaw } from '../testing/raw-peer.ts';

// The hub as a process, as its operator runs it.

// A process started with the loader takes a second on a busy machine; some tests start three.
vi.setConfig({ testTimeout: 60_000 });

afterEach(killAll);

function hubCommand(...args: string[]): TestProcess {
  const main = ['--import', 'tsx', 'apps/channel-hub/src/main.ts'];
  return startProcess(process.execPath, [...main, ...args], { cwd: REPOSITORY });
}

function secretFile(secret: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'secret');
  writeFileSync(path, secret, { mode: 0o600 });
  return path;
}

describe('start', () => {
  test('prints the table on stdout and nothing else, logs lines of JSON on stderr, and ends with 0', async () => {
    const hub = await startHub();
    const peer = await NativePeer.open(hub.port);
    await peer.publish('c', 'x');
    const stopped = hub.stop();
    await peer.take('goaway');
    peer.link.close();
    const { code } = await stopped;
    await hub.process.finished;
    expect(code).toBe(0);
    expect(hub.process.stdout).toMatch(/ChannelHub.*\[OK\]/);
    expect(hub.process.stdout).toContain(`127.0.0.1:${hub.port}`);
    expect(hub.process.stdout.trimEnd()).toMatch(/Press Ctrl-C to quit\. Start success\.$/);
    const lines = hub.process.stderr.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).msg)).toContain('Peer connected');
  });

  test('serves its health, its metrics and its stats', async () => {
    const hub = await startHub();
    const peer = await JsonPeer.connect(hub.port);
    peer.send({ type: 'subscribe', channels: ['c'] });
    await peer.take('subscribed');
    peer.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
    await peer.take('published');
    expect((await adminRequest(hub.adminPort, '/healthz')).status).toBe(200);
    expect((await adminRequest(hub.adminPort, '/readyz')).status).toBe(200);
    expect((await adminRequest(hub.adminPort, '/metrics')).body).toContain('groupcast_hub_published_total 1');
    expect(await hub.stats()).toMatchObject({
      pid: hub.process.pid,
      connectedPeers: 1,
      channels: 1,
      published: 1,
      delivered: 1,
      peers: [{ dialect: 'json', subscriptions: 1, received: 1, delivered: 1 }],
    });
  });

  test('escapes the name of a peer in its log', async () => {
    const hub = await startHub();
    const peer = await NativePeer.connect(hub.port);
    peer.hello('\u001b[31mred\r\nforged');
    await peer.take('welcome');
    await hub.process.waitForLine(/Peer connected/);
    expect(hub.process.stderr).not.toContain('\u001b');
    expect(hub.process.stderr).toContain('\\\\x1b[31mred\\\\r\\\\nforged');
  });

  test('listens on each --host, and shows all of them', async () => {
    const secret = secretFile('a secret of sixteen bytes or more');
    const hub = await startHub({ host: ['127.0.0.1', outerAddress()], secretFile: secret });
    const urls = ['127.0.0.1', outerAddress()].map((host) => `frame://${host}:${hub.port}`);
    for (const url of urls) expect(hub.process.stdout).toMatch(new RegExp(`ChannelHub +${url} +1 +\\[OK\\]`));
    expect(await hub.stats()).toMatchObject({ listen: urls.join(', ') });
    const peer = await JsonPeer.connect(hub.port);
    peer.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
    await peer.take('published');
  });

  test('reads the secret from its file', async () => {
    const secret = 'a secret of sixteen bytes or more';
    const hub = await startHub({ secretFile: secretFile(`  ${secret}\n`), host: '0.0.0.0' });
    const peer = await NativePeer.open(hub.port, secret);
    const stranger = await NativePeer.connect(hub.port);
    stranger.hello();
    stranger.prove('another', await stranger.take('challenge'));
    expect(await stranger.take('error')).toMatchObject({ code: 'unauthorized' });
    peer.link.close();
    await hub.stop();
    await hub.process.finished;
    expect(hub.process.stdout + hub.process.stderr).not.toContain(secret);
  });

  test('makes local peers authenticate if configured', async () => {
    const secret = 'a secret of sixteen bytes or more';
    const hub = await startHub({ secretFile: secretFile(secret), localTrust: false });
    const stranger = await JsonPeer.connect(hub.port);
    stranger.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
    expect(await stranger.take('error')).toMatchObject({ code: 'unauthorized' });
    const peer = await NativePeer.open(hub.port, secret);
    await peer.publish('c', 'x');
    expect(await hub.stats()).toMatchObject({ published: 1 });
  });

  test.each([
    ['on every address without a secret', { host: '0.0.0.0' }, /--secret-file.*--insecure/],
    [
      'without local trust and without a secret',
      { localTrust: false },
      /--no-local-trust needs --secret-file/,
    ],
    [
      'with more history for one channel than for all',
      { historyBytes: 2 * 1024 * 1024, historyTotalBytes: 1024 * 1024 },
      /--history-bytes is 2097152.*at most 1048576/,
    ],
    [
      'with more bytes for one queue than for all',
      { queueBytes: 2 * 1024 * 1024, queueTotalBytes: 1024 * 1024 },
      /--queue-bytes is 2097152.*at most 1048576/,
    ],
    ['with a short secret', { secretFile: 'SHORT' }, /less than 16 bytes/],
    ['with a secret file that is not there', { secretFile: '/nowhere/secret' }, /\/nowhere\/secret/],
  ])('%s fails with one line that says what to do', async (_name, flags, sentence) => {
    const short = 'secretFile' in flags && flags.secretFile === 'SHORT' ? secretFile('short') : undefined;
    const hub = await launchHub(short === undefined ? flags : { secretFile: short });
    expect((await hub.process.finished).code).toBe(1);
    expect(hub.process.stdout).toBe('');
    expect(hub.process.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(sentence)]);
  });

  test('on a port in use exits with 1 and one line that names it', async () => {
    const first = await startHub();
    const second = await launchHub({ port: first.port });
    expect((await second.process.finished).code).toBe(1);
    expect(second.process.stderr.trimEnd().split('\n')).toEqual([
      expect.stringContaining(`127.0.0.1:${first.port}`),
    ]);
    const third = await launchHub({ adminPort: first.adminPort });
    expect((await third.process.finished).code).toBe(1);
    expect(third.process.stderr).toContain(`127.0.0.1:${first.adminPort}`);
  });
});

test('keeps history up to its options', async () => {
  const hub = await startHub({ historyCount: 2, historySeconds: 600, historyBytes: 4_096 });
  const peer = await NativePeer.open(hub.port);
  const first = await peer.publish('c', 'a');
  for (const text of ['b', 'c']) await peer.publish('c', text);
  expect((await peer.history('c', first)).publications).toHaveLength(2);
  await peer.publish('c', 'x'.repeat(4_096));
  expect((await peer.history('c', first)).page).toMatchObject({ verdict: 'trimmed', count: 0 });
  const { history } = await hub.stats();
  expect(history).toMatchObject({ publications: 1, trimmed: { count: 2, bytes: 1 } });
  const { body } = await adminRequest(hub.adminPort, '/metrics');
  expect(body).toContain('groupcast_hub_history_reads_total{verdict="trimmed"} 1');
});

describe('a signal to end', () => {
  test('makes it not ready, closes the port, asks peers to leave, and exits with 0 when they have left', async () => {
    const hub = await startHub({ drainSeconds: 600 });
    const peer = await NativePeer.open(hub.port);
    const stopped = hub.stop();
    await peer.take('goaway');
    // A peer that is asked to leave finds the port closed and the hub not ready.
    expect((await adminRequest(hub.adminPort, '/readyz')).status).toBe(503);
    expect((await adminRequest(hub.adminPort, '/healthz')).status).toBe(200);
    expect(await hub.stats()).toMatchObject({ state: 'draining', connectedPeers: 1 });
    await expect(connectRaw(hub.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await peer.publish('c', 'late');
    peer.link.close();
    expect(await stopped).toEqual({ code: 0, signal: null });
    await hub.process.waitForLine(/"asked":1,"left":1,"closed":0/);
  });

  test('closes the peers that stay longer than --drain-seconds, and exits with 0', async () => {
    const hub = await startHub({ drainSeconds: 0.2 });
    const peer = await NativePeer.open(hub.port);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
    expect(await peer.ended()).toBe('peer_closed');
    await hub.process.waitForLine(/"asked":1,"left":0,"closed":1/);
  });

  test('received twice ends it at once', async () => {
    const hub = await startHub({ drainSeconds: 600 });
    const peer = await NativePeer.open(hub.port);
    hub.process.kill('SIGINT');
    await peer.take('goaway');
    // Signals within a tenth of a second count as one.
    const timer = setInterval(() => hub.process.kill('SIGINT'), 150);
    expect(await hub.process.exited).toEqual({ code: 130, signal: null });
    clearInterval(timer);
  });
});

test.skipIf(process.platform !== 'linux')(
  'takes no more peers than it may open files, and says so',
  async () => {
    // More than the files that the program opens while it starts.
    const openFiles = 400;
    const room = openFiles - 64;
    const [port, adminPort] = [await freePort(), await freePort()];
    const main = ['--import', 'tsx', 'apps/channel-hub/src/main.ts', 'start'];
    const args = [process.execPath, ...main, '--port', String(port), '--admin-port', String(adminPort)];
    const hub = startProcess('sh', ['-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, ...args], {
      cwd: REPOSITORY,
    });
    await hub.waitForLine(/Start success/);
    expect(hub.stderr).toContain('ulimit -n');
    for (let index = 0; index < room; index++) await NativePeer.open(port);
    const last = await connectRaw(port);
    last.resume();
    if (!last.closed) await once(last, 'close');
    const { body } = await adminRequest(adminPort, '/api/v1/stats');
    expect(JSON.parse(body)).toMatchObject({ connectedPeers: room, dropped: 1 });
  },
);

describe('status', () => {
  test('prints a running hub and its peers', async () => {
    const hub = await startHub();
    const peer = await NativePeer.connect(hub.port);
    peer.hello('worker 1\u001b[2J');
    await peer.take('welcome');
    await peer.enqueue('jobs', 'a', 'b');
    const status = hubCommand('status', '--admin-port', String(hub.adminPort));
    expect((await status.finished).code).toBe(0);
    expect(status.stdout).toMatch(/pid.*listen.*peers.*channels.*state/);
    expect(status.stdout).toMatch(/channels kept.*publications.*trimmed.*recovered.*duplicates/);
    expect(status.stdout).toMatch(/queue.*waiting.*in lease.*oldest.*watchers\n.*jobs +2 +0 /);
    expect(status.stdout).toContain(String(hub.process.pid));
    expect(status.stdout).toContain('worker 1\\x1b[2J');
    expect(status.stdout).not.toContain('\u001b');
  });

  test('prints an error when no hub answers', async () => {
    const status = hubCommand('status', '--admin-port', '1');
    expect((await status.finished).code).toBe(1);
    expect(status.stderr).toMatch(/127\.0\.0\.1:1/);
  });
});

test('gen-secret prints a new secret that start accepts', async () => {
  const tokens = [hubCommand('gen-secret'), hubCommand('gen-secret')];
  for (const { finished } of tokens) expect((await finished).code).toBe(0);
  const [one, other] = tokens.map((token) => token.stdout);
  expect(one).toMatch(/^[\w-]{43}\n$/);
  expect(one).not.toBe(other);
});
