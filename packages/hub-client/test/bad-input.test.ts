import type { ProtocolError } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { HistoryFrom } from '../src/history/history-page.ts';
import { HubClient } from '../src/hub-client.ts';
import { EPOCH } from '../testing/fake-hub.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

// Programs without types pass values that no type allows.
const fixture = useFakeHub();

const NO_NAMES: readonly unknown[] = [undefined, null, 5, {}, ['a'], '', 'a\n'];
const NO_PAYLOADS: readonly unknown[] = [
  undefined,
  null,
  5,
  {},
  [1],
  new ArrayBuffer(3),
  new Float64Array(1),
];
const NO_TEXTS: readonly unknown[] = [5, {}, 'x'.repeat(256), '\ud800'];
const NO_KINDS: readonly unknown[] = ['nope', 5, ['text']];
const NO_FUNCTIONS: readonly unknown[] = [undefined, null, {}, 'deliver'];
const NO_POSITIONS: readonly unknown[] = [
  undefined,
  null,
  5,
  {},
  'E:5',
  { epoch: 5, offset: 0 },
  { epoch: 'e', offset: -1 },
];

const NO_METAS: readonly unknown[] = [
  null,
  5,
  [],
  '',
  '[]',
  '{',
  () => {},
  { big: 1n },
  { long: 'x'.repeat(4_096) },
  '{"half":"\ud800"}',
];
const NO_KEYS: readonly unknown[] = [undefined, null, 5, '', 'x'.repeat(521), '\ud800'];
const NO_LIVES: readonly unknown[] = [null, -1, 1.5, '5', 2 ** 53];
const NO_COUNTS: readonly unknown[] = [undefined, null, 0, -1, 1.5, '1', 2 ** 32];

type Call = (client: HubClient, value: never) => unknown;

const CALLS: readonly [what: string, code: string, values: readonly unknown[], call: Call][] = [
  ['publish to a channel', 'bad_channel', NO_NAMES, (client, name) => client.publish(name, 'x')],
  ['publish a payload', 'bad_field', NO_PAYLOADS, (client, payload) => client.publish('a', payload)],
  ['publish a kind', 'bad_field', NO_KINDS, (client, kind) => client.publish('a', 'x', { kind })],
  ['publish of a sender', 'bad_field', NO_TEXTS, (client, sender) => client.publish('a', 'x', { sender })],
  [
    'publish with an id',
    'bad_field',
    NO_TEXTS,
    (client, messageId) => client.publish('a', 'x', { messageId }),
  ],
  ['publish with a meta', 'bad_field', NO_METAS, (client, meta) => client.publish('a', 'x', { meta })],
  ['publish with a key', 'bad_field', NO_KEYS, (client, key) => client.publish('a', 'x', { keyed: { key } })],
  [
    'publish with the options of a key',
    'bad_field',
    [null, 5, {}],
    (client, keyed) => client.publish('a', 'x', { keyed }),
  ],
  [
    'publish with a life',
    'bad_field',
    NO_LIVES,
    (client, lifeMs) => client.publish('a', 'x', { keyed: { key: 'k', lifeMs } }),
  ],
  [
    'publish an ephemeral message with',
    'bad_field',
    [{ messageId: 'm' }, { keyed: { key: 'k' } }],
    (client, options: object) => client.publish('a', 'x', { ephemeral: true, ...options }),
  ],
  [
    'enqueue with an id',
    'bad_field',
    NO_TEXTS,
    (client, messageId) => client.enqueue('a', 'x', { messageId }),
  ],
  ['enqueue in a queue', 'bad_queue', NO_NAMES, (client, name) => client.enqueue(name, 'x')],
  ['enqueue a payload', 'bad_field', NO_PAYLOADS, (client, payload) => client.enqueue('a', payload)],
  ['enqueue a kind', 'bad_field', NO_KINDS, (client, kind) => client.enqueue('a', 'x', { kind })],
  [
    'subscribe to a channel',
    'bad_channel',
    NO_NAMES,
    (client, name) => client.subscribe(name, { deliver: () => {} }),
  ],
  [
    'subscribe with deliver',
    'bad_field',
    NO_FUNCTIONS,
    (client, deliver) => client.subscribe('a', { deliver }),
  ],
  ['subscribe a subscriber', 'bad_field', [undefined, null, 5], (client, one) => client.subscribe('a', one)],
  ['watch a queue', 'bad_queue', NO_NAMES, (client, name) => client.watch(name, () => {})],
  ['watch with a handler', 'bad_field', NO_FUNCTIONS, (client, handler) => client.watch('a', handler)],
  [
    'watch with concurrency',
    'bad_field',
    [0, 1.5, '2', null],
    (client, concurrency) => client.watch('a', () => {}, { concurrency }),
  ],
  [
    'history of a channel',
    'bad_channel',
    NO_NAMES,
    (client, name) => historyOf(client, name, { epoch: EPOCH, offset: 0 }),
  ],
  ['history after a position', 'bad_field', NO_POSITIONS, (client, since) => historyOf(client, 'a', since)],
  ['history of the newest', 'bad_field', NO_COUNTS, (client, last) => historyOf(client, 'a', { last })],
];

function historyOf(client: HubClient, channel: string, from: HistoryFrom): Promise<unknown> {
  return new Promise((page, failed) => client.history(channel, from, { page, failed }));
}

async function errorOf(act: () => unknown): Promise<ProtocolError | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error as ProtocolError;
  }
}

test.each(CALLS)(
  'an invalid %s is an error of the caller, and the connection stays open',
  async (_, code, values, call) => {
    const [client, session] = await fixture.open();
    for (const value of values) {
      const error = await errorOf(() => call(client, value as never));
      expect(error, String(value)).toMatchObject({ name: 'ProtocolError', code });
      expect(error?.message).toMatch(/^[A-Z`]?\w.*\.$/);
    }
    const answer = client.publish('still', 'there');
    await session.takePublish(7);
    expect(await answer).toEqual({ epoch: EPOCH, offset: 7 });
    expect(client.stats()).toMatchObject({ state: 'open', reconnects: 0, subjects: 0 });
  },
);

describe('options of TLS', () => {
  test.each([null, true, 'pem'])('%s is rejected', (tls) => {
    const make = (): HubClient => new HubClient({ tls: tls as never });
    expect(make).toThrow(expect.objectContaining({ code: 'bad_option', option: 'tls' }));
  });

  test('certificates or keys that are invalid are rejected by the constructor, with the cause', () => {
    const tls = { cert: 'no certificate', key: 'no key' };
    const make = (): HubClient => new HubClient({ tls });
    expect(make).toThrow(
      expect.objectContaining({ code: 'bad_option', option: 'tls', cause: expect.any(Error) }),
    );
  });
});
