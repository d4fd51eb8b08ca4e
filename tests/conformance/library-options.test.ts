import { createGateway, GATEWAY_TABLE } from '@groupcast/gateway';
import {
  createHub,
  HISTORY_TABLE,
  HUB_TABLE,
  type HubOptionsInput,
  KEYED_TABLE,
  MemoryEngine,
  QUEUE_TABLE,
} from '@groupcast/hub';
import { HUB_CLIENT_TABLE, HubClient, RECONNECT_TABLE } from '@groupcast/hub-client';
import { LINK_TABLE } from '@groupcast/link';
import type { OptionTable } from '@groupcast/options';
import { describe, expect, test } from 'vitest';

// Options that violate the types: they come from untyped programs and from files.
type Make = (given: object) => unknown;

const hub = new HubClient();

const LIBRARIES: readonly [string, string, OptionTable, Make][] = [
  ['createHub', '', HUB_TABLE, (given) => createHub(given)],
  ['createHub', 'link.', LINK_TABLE, (link) => createHub({ link })],
  ['createHub', 'queues.', QUEUE_TABLE, (queues) => createHub({ queues })],
  ['MemoryEngine', '', HISTORY_TABLE, (given) => new MemoryEngine(given)],
  ['MemoryEngine', 'keyed.', KEYED_TABLE, (keyed) => new MemoryEngine({}, { keyed })],
  ['HubClient', '', HUB_CLIENT_TABLE, (given) => new HubClient(given)],
  ['HubClient', 'link.', LINK_TABLE, (link) => new HubClient({ link })],
  ['HubClient', 'reconnect.', RECONNECT_TABLE, (given) => new HubClient({ reconnect: given as never })],
  ['createGateway', '', GATEWAY_TABLE, (given) => createGateway({ hub, ...given })],
];

/** Values that are not in the range of a numeric option. */
function badValues({ range, fault }: OptionTable[string]): unknown[] {
  if (range === undefined) return [];
  const { min, max, isInteger } = range;
  const values: unknown[] = [Number.NaN, Number.NEGATIVE_INFINITY, '5', null, [], min - 1, max + 1];
  if (isInteger) values.push(min + 0.5);
  if (fault(Number.POSITIVE_INFINITY) !== undefined) values.push(Number.POSITIVE_INFINITY);
  return values;
}

describe.each(LIBRARIES)('%s and its options %s*', (owner, prefix, table, make) => {
  test.each(Object.entries(table).filter(([, { kind }]) => kind === 'number'))(
    'rejects a bad %s',
    (name, row) => {
      for (const value of badValues(row)) {
        const option = prefix + name;
        expect(() => make({ [name]: value }), `${option}: ${value}`).toThrow(
          expect.objectContaining({
            code: 'bad_option',
            option,
            message: expect.stringContaining(`${owner}: option ${option} is `),
          }),
        );
      }
    },
  );

  test('rejects an unknown name', () => {
    expect(() => make({ prot: 1 })).toThrow(
      expect.objectContaining({ code: 'bad_option', option: `${prefix}prot` }),
    );
  });

  test('accepts no options, and undefined ones', () => {
    const nothing = Object.fromEntries(Object.keys(table).map((name) => [name, undefined]));
    make({});
    make(nothing);
  });
});

test.each<[string, string, Make, object]>([
  ['no address to listen on', 'host', createHub, { host: '' }],
  ['TLS without a key', 'tls', createHub, { tls: { cert: 'PEM' } }],
  ['a Unix socket without a file', 'unixSocket', createHub, { unixSocket: { path: '', mode: 0o600 } }],
  ['a Unix socket with a mode of text', 'unixSocket', createHub, { unixSocket: { path: 'a', mode: '600' } }],
  ['an invalid network', 'trust', createHub, { trust: ['10.1.0.0/33'] }],
  ['an invalid bridged event', 'phpBridge', createHub, { phpBridge: [''] }],
  ['another moment for PHP', 'phpAck', createHub, { phpAck: 'never' }],
  ['three secrets', 'secret', createHub, { secret: ['a', 'b', 'c'] }],
  ['an engine that is a number', 'engine', createHub, { engine: 5 }],
  ['no engine', 'engine', createHub, { engine: null }],
  ['queues that are null', 'queues', createHub, { queues: null }],
  ['a link that is null', 'link', createHub, { link: null }],
  ['a wheel that is a number', 'wheel', (given: object) => createGateway({ hub, ...given }), { wheel: 5 }],
  ['a hub that is null', 'hub', (given: object) => createGateway({ hub, ...given }), { hub: null }],
  ['a secret that is a number', 'secret', createHub, { secret: 5 }],
  ['an empty secret beside another', 'secret', createHub, { secret: ['a', ''] }],
  ['distrust without a secret', 'localTrust', createHub, { localTrust: false }],
  ['a heartbeat within a tick', 'heartbeatMs', createHub, { heartbeatMs: 999 }],
  [
    'a soft limit above the hard one',
    'link.bufferBytesSoft',
    createHub,
    { link: { bufferBytesSoft: 9, bufferBytesMax: 8 } } satisfies HubOptionsInput,
  ],
  [
    'more history of one channel than of all',
    'bytesMax',
    (given) => new MemoryEngine(given),
    { bytesMax: 2_001, totalBytesMax: 2_000 },
  ],
  [
    'more bytes in one queue than in all',
    'queues.bytesMax',
    createHub,
    { queues: { bytesMax: 2_001, totalBytesMax: 2_000 } } satisfies HubOptionsInput,
  ],
  ['a text as link', 'log', createHub, { log: 'stdout' }],
  ['no address of the hub', 'host', (given) => new HubClient(given), { host: '' }],
  ['a path beside a host', 'path', (given) => new HubClient(given), { path: '/run/hub', host: '10.0.0.5' }],
  ['a path beside a port', 'path', (given) => new HubClient(given), { path: '/run/hub', port: 2206 }],
  ['a name that is too long', 'name', (given) => new HubClient(given), { name: 'é'.repeat(128) }],
  ['a certificate without a key', 'tls', (given) => new HubClient(given), { tls: { cert: 'PEM' } }],
  [
    'a shortest wait above the longest',
    'reconnect.minMs',
    (given) => new HubClient(given),
    { reconnect: { minMs: 11, maxMs: 10 } },
  ],
  [
    'a message that no buffer of a client holds',
    'messageBytesMax',
    (given) => createGateway({ hub, ...given }),
    { messageBytesMax: 65_537, clientBufferBytes: 65_536 },
  ],
  [
    'a burst of a group that no buffer of a client holds',
    'groupBytesBurst',
    (given) => createGateway({ hub, ...given }),
    { groupBytesBurst: 65_537, clientBufferBytes: 65_536 },
  ],
  [
    'an invalid allowed origin',
    'allowedOrigins',
    (given) => createGateway({ hub, ...given }),
    { allowedOrigins: ['https://good.example', 'example.com'] },
  ],
  [
    'an allowed origin that is no string',
    'allowedOrigins',
    (given) => createGateway({ hub, ...given }),
    { allowedOrigins: [5] },
  ],
  ['an invalid trusted address', 'trust', createHub, { trust: ['10.1.0.0/33'] }],
  [
    'a buffer of one client above that of all',
    'clientBufferBytes',
    (given) => createGateway({ hub, ...given }),
    { clientBufferBytes: 2 ** 26 + 1, clientBufferTotalBytes: 2 ** 26 },
  ],
  ['no hub', 'hub', (given) => createGateway(given as never), {}],
  ['no address to listen on', 'host', (given) => createGateway({ hub, ...given }), { host: '' }],
])('%s: %s is rejected', (_what, option, make, given) => {
  expect(() => make(given)).toThrow(expect.objectContaining({ code: 'bad_option', option }));
});

test('a limit that was not given follows the one above it', () => {
  const total = { totalBytesMax: 2_000 };
  expect(() => new MemoryEngine(total)).not.toThrow();
  expect(() => createHub({ queues: total })).not.toThrow();
});

test('a window of a drain must be a time, too', async () => {
  const windowMs = Number.NaN;
  const bad = { code: 'bad_option', option: 'windowMs' };
  await expect(createHub().drain({ windowMs })).rejects.toMatchObject(bad);
  const gateway = createGateway({ hub });
  await expect(gateway.drain({ windowMs, reason: 'going_away' })).rejects.toMatchObject(bad);
  await gateway.close();
});
