import { HubClient, type KeyedMap } from '@groupcast/hub-client';
import { decodeText } from '@groupcast/protocol';
import { adminRequest, killAll, startHub, TcpProxy, type TestHub, until } from '@groupcast/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';

const clients: HubClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(killAll);

function open(port: number): HubClient {
  const client = new HubClient({ port, reconnect: { minMs: 1, maxMs: 20 } });
  clients.push(client);
  client.connect();
  return client;
}

/** Values of a map as texts, in the order of the keys. */
function valuesOf(map: KeyedMap): [string, string][] {
  return [...map.entries()]
    .map(([key, { payload }]): [string, string] => [key, decodeText(payload) ?? ''])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function untilHas(map: KeyedMap, expected: ReadonlyMap<string, string>): Promise<unknown> {
  const all = JSON.stringify([...expected].sort(([a], [b]) => (a < b ? -1 : 1)));
  return until(
    () => [map.isReady, JSON.stringify(valuesOf(map))],
    'the values of the writer',
    ([isReady, values]) => isReady === true && values === all,
  );
}

test('three readers end with the values of the writer, though their links break and history is too short', async () => {
  const hub = await startHub({ historyCount: 20 });
  const proxies = await Promise.all([1, 2, 3].map(() => TcpProxy.start({ target: hub.port })));
  const maps = proxies.map(({ port }) => open(port).keyed('state'));
  const writer = open(hub.port).keyed('state');
  const expected = new Map<string, string>();
  for (let round = 0; round < 60; round++) {
    // Long values make a snapshot have many pages.
    const sets = Array.from({ length: 20 }, (_, index) => {
      const key = `key ${(round * 7 + index * 13) % 200}`;
      if (index % 4 === 3) {
        expected.delete(key);
        return writer.delete(key);
      }
      const text = `${round} ${index} `.padEnd(2_000, '.');
      expected.set(key, text);
      return writer.set(key, text);
    });
    await Promise.all(sets);
    if (round % 3 === 0) proxies[(round / 3) % proxies.length]?.cut();
  }
  expect(expected.size).toBeGreaterThan(50);
  for (const map of [...maps, writer]) await untilHas(map, expected);
  const recoveries = clients.map((client) => client.stats().lost.trimmed);
  expect(Math.max(...recoveries)).toBeGreaterThan(0);
});

test('kill -9 of the hub: its values are gone, and live maps say so and go on with the next hub', async () => {
  const hub = await startHub();
  const map = open(hub.port).keyed('state');
  const gone: string[] = [];
  map.on('change', (key, value) => {
    if (value === undefined) gone.push(key);
  });
  await map.set('a', '1');
  await map.set('b', '2', { lifeMs: 3_600_000 });
  await untilHas(
    map,
    new Map([
      ['a', '1'],
      ['b', '2'],
    ]),
  );
  await hub.kill();
  expect([map.isReady, map.size]).toEqual([true, 2]);
  await startHub({ port: hub.port });
  await map.set('a', '3');
  await untilHas(map, new Map([['a', '3']]));
  expect(gone).toContain('b');
});

test('a full hub rejects further keys, and its metrics and its status say so', async () => {
  const hub: TestHub = await startHub({ keyedValuesMax: 2 });
  const map = open(hub.port).keyed('state');
  await map.set('a', '1');
  const expired = new Promise<void>((resolve) => {
    map.on('change', (key, value) => key === 'b' && value === undefined && resolve());
  });
  await map.set('b', '2', { lifeMs: 1 });
  await expired;
  await map.set('d', '3');
  await expect(map.set('e', '4')).rejects.toMatchObject({ code: 'keys_full' });
  await untilHas(
    map,
    new Map([
      ['a', '1'],
      ['d', '3'],
    ]),
  );
  expect((await hub.stats())['keyed']).toMatchObject({ keys: 2, rejected: 1, expired: 1 });
  const { body } = await adminRequest(hub.adminPort, '/metrics');
  expect(body).toContain('groupcast_hub_keyed_values 2\n');
  expect(body).toContain('groupcast_hub_keyed_rejected_total 1\n');
});
