import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits, type Position } from '@groupcast/protocol';
import { killAll, startHub as startHubProcess } from '@groupcast/testkit';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Engine } from '../src/engine/engine.ts';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { createHub } from '../src/hub.ts';
import { JsonPeer } from '../testing/json-peer.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { startHub } from '../testing/start-hub.ts';

const NOWHERE: Position = { epoch: '', offset: 0 };
const ENGINES: [string, () => Engine][] = [
  ['the memory engine', () => new MemoryEngine()],
  ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
];

afterEach(killAll);

/** Returns the list of namespaces that a gateway finds; undefined for none. */
async function listOf(peer: NativePeer): Promise<unknown> {
  const { page, publications } = await peer.history(limits.CONFIG_CHANNEL, NOWHERE, {
    snapshot: true,
    afterKey: '',
  });
  expect(page.verdict).toBe('snapshot');
  const value = publications.find(({ keyed }) => keyed?.key === 'namespaces');
  return value && JSON.parse(Buffer.from(value.payload).toString());
}

/** Publishes five messages. Returns how many are kept. */
async function keptOf(peer: NativePeer, name: string): Promise<number> {
  for (let count = 0; count < 5; count++) await peer.publish(name, 'x');
  return (await peer.history(name, NOWHERE, { last: 100 })).publications.length;
}

describe.each(ENGINES)('namespaces on %s', (_name, createEngine) => {
  test('are a value of $config from the first peer on, and bound the history of groups', async () => {
    const namespaces = [
      { prefix: 'chat:', history: { count: 2 } },
      { prefix: 'chat:long:', history: {} },
    ];
    const { port } = await startHub({ engine: createEngine(), namespaces });
    const peer = await NativePeer.open(port);
    expect(await listOf(peer)).toEqual(namespaces);
    const names = ['group:chat:1', 'group:chat:long:1', 'group:other', 'chat:1', 'group:$chat'];
    const kept = [];
    for (const name of names) kept.push(await keptOf(peer, name));
    expect(kept).toEqual([2, 5, 5, 5, 5]);
  });

  test('change while the hub runs, for gateways and for existing groups', async () => {
    const { hub, port } = await startHub({ engine: createEngine(), namespaces: [] });
    const peer = await NativePeer.open(port);
    expect(await listOf(peer)).toEqual([]);
    await peer.subscribe(channel(limits.CONFIG_CHANNEL));
    expect(await keptOf(peer, 'group:1')).toBe(5);
    await hub.changeNamespaces([{ prefix: '', history: { count: 3 } }]);
    const { publication } = await peer.take('deliver');
    expect(publication).toMatchObject({ keyed: { key: 'namespaces', lifeMs: 0 }, kind: 'json' });
    expect(JSON.parse(Buffer.from(publication.payload).toString())).toEqual([
      { prefix: '', history: { count: 3 } },
    ]);
    expect((await peer.history('group:1', NOWHERE, { last: 100 })).publications).toHaveLength(3);
    // The same again is no publication.
    await hub.changeNamespaces([{ prefix: '', history: { count: 3 } }]);
    await hub.changeNamespaces([]);
    const next = await peer.take('deliver');
    expect(next.publication.number).toBe(publication.number + 1);
    expect(await listOf(peer)).toEqual([]);
  });
});

test('a hub without namespaces publishes nothing', async () => {
  const { hub, port } = await startHub();
  expect(await listOf(await NativePeer.open(port))).toBeUndefined();
  expect(hub.stats()).toMatchObject({ published: 0, engineChannels: 0, keyed: { keys: 0 } });
});

test('the whole list is one value, at its longest', async () => {
  const prefixes = Array.from({ length: limits.NAMESPACES_MAX }, (_, index) => `${index}:`.padEnd(255, 'x'));
  const operations = ['join', 'history', 'publish', 'presence', 'info'] as const;
  const namespaces = prefixes.map((prefix) => ({
    prefix,
    allow: { users: operations, anonymous: operations, members: ['publish', 'history', 'info'] as const },
    history: { count: 1_000_000, seconds: 604_800, bytes: 1_000_000 },
    message_bytes_max: 65_536,
  }));
  const { port } = await startHub({ namespaces });
  expect(await listOf(await NativePeer.open(port))).toEqual(namespaces);
});

test('without room for them the hub does not start, and a running one keeps what it has', async () => {
  const engine = (bytesMax: number) => new MemoryEngine({}, { keyed: { bytesMax } });
  const none = createHub({ port: 0, engine: engine(100), namespaces: [] });
  onTestFinished(() => none.close());
  await expect(none.listen()).rejects.toMatchObject({
    code: 'namespaces',
    message: expect.stringContaining('--keyed-bytes-max'),
    cause: { code: 'keys_full' },
  });
  const { hub, port } = await startHub({ engine: engine(500), namespaces: [{ prefix: '' }] });
  const long = [{ prefix: 'x'.repeat(250), history: { count: 0 } }];
  await expect(hub.changeNamespaces(long)).rejects.toMatchObject({ code: 'namespaces' });
  const peer = await NativePeer.open(port);
  expect(await listOf(peer)).toEqual([{ prefix: '' }]);
  expect(await keptOf(peer, `group:${'x'.repeat(250)}`)).toBe(5);
});

test('a running hub cannot begin to have namespaces, and rejects invalid ones', async () => {
  const [without, having] = [createHub({ port: 0 }), createHub({ port: 0, namespaces: [] })];
  onTestFinished(() => Promise.all([without.close(), having.close()]).then(() => {}));
  await expect(without.changeNamespaces([])).rejects.toMatchObject({ code: 'restart_required' });
  await expect(having.changeNamespaces(undefined)).rejects.toMatchObject({ code: 'restart_required' });
  const invalid = [{ prefix: '$' }];
  await expect(having.changeNamespaces(invalid)).rejects.toThrow('option namespaces is [of type object]');
  expect(() => createHub({ namespaces: invalid })).toThrow('[0].prefix is "$"');
});

test('peers without the secret cannot write $config', async () => {
  const { hub, port } = await startHub({ secret: 'a secret of more than sixteen bytes', namespaces: [] });
  const json = await JsonPeer.connect(port);
  json.send({ type: 'publish', id: 1, channels: ['$config'], key: 'namespaces', data: [{ prefix: '' }] });
  expect(await json.take('error')).toMatchObject({ id: 1, code: 'forbidden' });
  expect(hub.stats().rejected).toMatchObject({ forbidden: 1 });
  await expect(NativePeer.open(port, 'another secret of some length')).rejects.toThrow();
});

describe('--namespaces-file', () => {
  function fileWith(list: unknown): string {
    const folder = mkdtempSync(join(tmpdir(), 'groupcast-namespaces-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'namespaces.json');
    writeFileSync(file, JSON.stringify(list));
    return file;
  }

  test('is read again on SIGHUP, as a whole or not at all', async () => {
    const file = fileWith([{ prefix: '', history: { count: 2 } }]);
    const hub = await startHubProcess({ namespacesFile: file });
    const peer = await NativePeer.open(hub.port);
    expect(await keptOf(peer, 'group:1')).toBe(2);
    writeFileSync(file, JSON.stringify([{ prefix: '', history: { count: 4 } }]));
    hub.process.kill('SIGHUP');
    await hub.process.waitForLine(/Namespaces file read again/);
    expect(await keptOf(peer, 'group:1')).toBe(4);
    const bad = [
      { prefix: 'a', history: { count: 1 } },
      { prefix: '', history: { count: -1 }, colour: 1 },
    ];
    writeFileSync(file, JSON.stringify(bad));
    hub.process.kill('SIGHUP');
    await hub.process.waitForLine(
      /Namespaces not changed: --namespaces-file .*: \[1\]\.history\.count is -1\./,
    );
    await hub.process.waitForLine(/Namespaces not changed: --namespaces-file .*: \[1\]\.colour is unknown\./);
    expect(await keptOf(peer, 'group:a')).toBe(4);
    rmSync(file);
    hub.process.kill('SIGHUP');
    await hub.process.waitForLine(/Namespaces not changed: --namespaces-file .* cannot be read: ENOENT/);
    expect(await keptOf(peer, 'group:b')).toBe(4);
    expect(await listOf(peer)).toEqual([{ prefix: '', history: { count: 4 } }]);
  });
});
