import fc from 'fast-check';
import {
  CHANNEL_NAME_BYTES_MAX,
  CONCURRENCY_MAX,
  DEAD_QUEUE_PREFIX,
  ERROR_MESSAGE_BYTES_MAX,
  KEY_BYTES_MAX,
  META_BYTES_MAX,
  QUEUE_NAME_BYTES_MAX,
  SHORT_TEXT_BYTES_MAX,
} from '../src/limits.ts';
import { isChannelName, isKey, isQueueName } from '../src/name.ts';
import type { NativeMessage } from '../src/native/message.ts';
import type { Keyed, Publication } from '../src/native/publication.ts';
import { utf8ByteLength } from '../src/utf8-length.ts';

// `unit: 'binary'` draws all code points but surrogates: also control characters, marks and emoji.
function text(bytesMax: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'binary', maxLength: bytesMax })
    .filter((drawn) => utf8ByteLength(drawn) <= bytesMax);
}

const channel = fc.oneof(
  fc.constantFrom('group:123', 'group:日本', '__proto__', 'c'.repeat(CHANNEL_NAME_BYTES_MAX)),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(isChannelName),
);
const shortText = fc.oneof(text(SHORT_TEXT_BYTES_MAX), fc.constant('x'.repeat(SHORT_TEXT_BYTES_MAX)));
const count = fc.maxSafeNat();
/** Number of a request that may be rejected: 0 would mean the whole link. */
const request = fc.maxSafeNat().map((drawn) => Math.max(1, drawn));
const queue = fc.oneof(
  fc.constantFrom('jobs', '__proto__', 'q'.repeat(QUEUE_NAME_BYTES_MAX)),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(isQueueName),
);
const watchableQueue = fc.oneof(
  queue,
  queue.map((name) => DEAD_QUEUE_PREFIX + name),
);
const kind = fc.constantFrom('text' as const, 'json' as const, 'bytes' as const);
const payload = fc.uint8Array({ maxLength: 300 });
const attempt = fc.integer({ min: 1, max: 0xffff });
const concurrency = fc.integer({ min: 1, max: CONCURRENCY_MAX });
const u32 = fc.nat({ max: 0xffffffff });
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const subject = fc.record(
  { name: channel, prefix: fc.boolean(), epoch: shortText },
  { requiredKeys: ['name', 'prefix'] },
);
const epochIs = fc.constantFrom('same' as const, 'changed' as const, 'renamed' as const);
const keyed: fc.Arbitrary<Keyed> = fc.record({
  key: fc.oneof(text(KEY_BYTES_MAX).filter(isKey), fc.constant('k'.repeat(KEY_BYTES_MAX))),
  lifeMs: count,
});
const meta = fc.oneof(fc.constant(''), fc.json(), fc.constant('m'.repeat(META_BYTES_MAX)));
const subjects = fc.array(subject, { minLength: 1, maxLength: 20 });
const position = fc.record({ epoch: shortText, offset: count });
const content = {
  channel,
  kind,
  excludeSender: fc.boolean(),
  sender: shortText,
  meta,
  payload,
  number: count,
  timeMs: count,
};
const publication: fc.Arbitrary<Publication> = fc.oneof(
  fc.record({
    ...content,
    messageId: shortText,
    ephemeral: fc.constant(false),
    keyed: fc.option(keyed, { nil: undefined }),
  }),
  fc.record({
    ...content,
    messageId: fc.constant(''),
    ephemeral: fc.constant(true),
    keyed: fc.constant(undefined),
  }),
);

/** Any message of the native dialect. */
export const nativeMessage: fc.Arbitrary<NativeMessage> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    version: fc.constant(1),
    nonce: bytes32,
    name: shortText,
    capabilities: u32,
  }),
  fc.record(
    { type: fc.constant('challenge' as const), nonce: bytes32, proof: bytes32, otherProof: bytes32 },
    { requiredKeys: ['type', 'nonce', 'proof'] },
  ),
  fc.record({ type: fc.constant('proof' as const), proof: bytes32 }),
  fc.record({
    type: fc.constant('welcome' as const),
    version: fc.nat({ max: 255 }),
    heartbeatMs: u32,
    frameBytesMax: u32,
    capabilities: u32,
  }),
  fc.record({ type: fc.constant('subscribe' as const), request, subjects }),
  fc.record({
    type: fc.constant('subscribed' as const),
    request: count,
    entries: fc.array(fc.record({ name: channel, prefix: fc.boolean(), position, epochIs }), {
      minLength: 1,
      maxLength: 20,
    }),
  }),
  fc.record({ type: fc.constant('unsubscribe' as const), subjects }),
  fc.record({ type: fc.constant('publish' as const), publication }),
  fc.record({ type: fc.constant('deliver' as const), publication }),
  fc.record({ type: fc.constant('published' as const), request: count, position }),
  fc.record({
    type: fc.constant('error' as const),
    request: count,
    code: shortText,
    message: text(ERROR_MESSAGE_BYTES_MAX),
  }),
  fc.record({
    type: fc.constant('history' as const),
    request,
    channel,
    since: position,
    last: u32,
    snapshot: fc.boolean(),
    afterKey: text(KEY_BYTES_MAX),
  }),
  fc.record({
    type: fc.constant('page' as const),
    request: count,
    verdict: fc.constantFrom('recovered' as const, 'snapshot' as const),
    position,
    count: u32,
    epochIs,
    more: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('page' as const),
    request: count,
    verdict: fc.constantFrom('epoch_changed' as const, 'trimmed' as const),
    position,
    count: fc.constant(0),
    epochIs,
    more: fc.boolean(),
  }),
  fc.record({ type: fc.constant('goaway' as const), reconnectAfterMs: u32 }),
  fc.record({ type: fc.constant('enqueue' as const), request, queue, kind, messageId: shortText, payload }),
  fc.record({ type: fc.constant('enqueued' as const), request: count }),
  fc.record({ type: fc.constant('watch' as const), request, queue: watchableQueue, concurrency }),
  fc.record({ type: fc.constant('unwatch' as const), queue: watchableQueue }),
  fc.record({
    type: fc.constant('item' as const),
    queue: watchableQueue,
    item: count,
    attempt,
    kind,
    messageId: shortText,
    payload,
  }),
  fc.record({
    type: fc.constantFrom('done' as const, 'failed' as const),
    queue: watchableQueue,
    item: count,
    attempt,
  }),
);

/** Damages valid bytes: overwrites, removes or inserts some, or truncates them. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    remove: fc.nat({ max: 4 }),
    insert: fc.uint8Array({ maxLength: 4 }),
  });
  return fc.tuple(valid, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([bytes, edits]) => {
    let changed = [...bytes];
    for (const { at, remove, insert } of edits) {
      const index = Math.floor(at * changed.length);
      changed = [...changed.slice(0, index), ...insert, ...changed.slice(index + remove)];
    }
    return Uint8Array.from(changed);
  });
}
