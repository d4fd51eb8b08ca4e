import { encodeFrame, encodeText, limits } from '@groupcast/protocol';
import type { Random } from '../faults/random.ts';
import { channelName, queueName, several, watchedName } from './names.ts';

const DATA: readonly unknown[] = [
  'hi',
  'これは',
  '',
  0,
  -1.5,
  1e300,
  null,
  true,
  [],
  { a: [1, { b: null }] },
  { group_id: '123', message: 'hi' },
  JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
];

/** Values of `meta`, also invalid ones. */
const METAS: readonly unknown[] = [{}, JSON.parse('{"uid":"ann","__proto__":[1.5,{}]}'), [], 'text', null];

/** Makes a request of the JSON dialect. */
export function jsonFrame(random: Random): Uint8Array {
  return jsonRequest(request(random));
}

export function jsonRequest(body: object): Uint8Array {
  return encodeFrame(encodeText(JSON.stringify(body)));
}

function request(random: Random): object {
  const id = random.pick([undefined, 1, 'id', 2 ** 53 - 1]);
  const channels = several(random, channelName);
  switch (random.between(0, 11)) {
    case 0:
      return { type: 'hello', version: 1, nonce: '00'.repeat(limits.NONCE_BYTES), name: 'fuzz' };
    case 1:
    case 2:
      return { type: 'subscribe', id, channels, prefixes: random.pick([[], ['group:'], ['g', '__'], ['$']]) };
    case 3:
      return { type: 'unsubscribe', id, channels, groups: random.pick([undefined, ['1']]) };
    case 4:
      return { type: 'proof', proof: '00'.repeat(limits.PROOF_BYTES) };
    case 5:
      return {
        ...{ type: 'enqueue', id, queue: queueName(random), data: random.pick(DATA) },
        message_id: random.pick([undefined, '', 'm1', 'm2']),
      };
    case 6:
      return { type: 'watch', id, queue: watchedName(random), concurrency: random.pick([1, 2, 1_000]) };
    case 7:
      return random.pick([
        { type: 'unwatch', queue: watchedName(random) },
        { type: 'done', ...itemAttempt(random) },
        { type: 'failed', ...itemAttempt(random) },
      ]);
    case 8:
      return { type: 'ping', id };
    case 9:
      return random.pick([
        { type: 'history', id, channel: channelName(random), epoch: '', offset: 0 },
        { type: 'history', id, group: '1', epoch: 'e', offset: 7, limit: random.between(0, 3) },
        { type: 'history', id, channel: channelName(random), last: random.between(0, 3) },
      ]);
    default:
      return {
        ...{
          type: 'publish',
          id,
          channels,
          groups: random.pick([undefined, [], ['1', 2]]),
          data: random.pick(DATA),
        },
        sender: random.pick(['', 'me']),
        message_id: random.pick(['', '', 'm1', 'm2']),
        exclude_sender: random.next() < 0.2,
        ...(random.next() < 0.5 ? {} : keptFields(random)),
      };
  }
}

/** Fields of a publication that is kept in another way, or not at all; not all go together. */
function keptFields(random: Random): object {
  return {
    meta: random.pick([undefined, ...METAS]),
    store: random.pick([undefined, true, false]),
    key: random.pick([undefined, 'k1', 'k2', '']),
    life_ms: random.pick([undefined, 0, 1, 1_000, -1]),
  };
}

function itemAttempt(random: Random): object {
  return { queue: watchedName(random), item: random.between(1, 40), attempt: random.between(1, 3) };
}
