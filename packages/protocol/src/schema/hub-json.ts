import { z } from 'zod';
import {
  CHANNELS_PER_FRAME_MAX,
  CONCURRENCY_MAX,
  JSON_DEPTH_MAX,
  NONCE_BYTES,
  PROOF_BYTES,
  SHORT_TEXT_BYTES_MAX,
} from '../limits.ts';
import { isChannelName, isQueueName, isWatchableQueueName } from '../name.ts';
import { ProtocolError } from '../protocol-error.ts';
import { decodeText, utf8ByteLength } from '../text.ts';
import { commandId } from './client-command.ts';
import { isBounded, isJsonObject, type JsonValue } from './json-shape.ts';

function hexBytes(count: number): z.ZodString {
  return z.string().regex(new RegExp(`^[0-9a-f]{${2 * count}}$`), `${count} bytes as lower-case hex digits`);
}

const id = commandId.optional();
const name = z.union([z.string(), z.int()]).transform(String);
const channel = name.refine(isChannelName, 'not a channel name');
const queue = name.refine(isQueueName, 'not the name of a queue that can be filled');
const watchableQueue = name.refine(isWatchableQueueName, 'not the name of a queue');
const itemAttempt = {
  queue: watchableQueue,
  item: z.int().nonnegative(),
  attempt: z.int().min(1).max(0xffff),
};
const channels = z.array(channel).max(CHANNELS_PER_FRAME_MAX);
const shortText = z.string().refine((text) => {
  const bytes = text.length > SHORT_TEXT_BYTES_MAX ? -1 : utf8ByteLength(text);
  return bytes >= 0 && bytes <= SHORT_TEXT_BYTES_MAX;
}, `at most ${SHORT_TEXT_BYTES_MAX} bytes of UTF-8`);
const subjects = { id, channels: channels.default([]), prefixes: channels.default([]) };
// As parsed, not walked by zod: its record drops a key named `__proto__`, and its recursion has no bound.
const data = z.custom<JsonValue>(
  (value) => value !== undefined && (typeof value !== 'string' || utf8ByteLength(value) >= 0),
  'any JSON value; a string must have a UTF-8 form',
);
const position = z.object({ channel: z.string(), epoch: z.string(), offset: z.int().nonnegative() });

const SUBJECTS_SENTENCE = `1 to ${CHANNELS_PER_FRAME_MAX} channels and prefixes`;

function hasSubjects(request: { readonly channels: string[]; readonly prefixes: string[] }): boolean {
  const count = request.channels.length + request.prefixes.length;
  return count >= 1 && count <= CHANNELS_PER_FRAME_MAX;
}

/** Peer to hub in the JSON dialect. Unknown fields are ignored. */
export const hubJsonRequest = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.int(),
    nonce: hexBytes(NONCE_BYTES),
    name: shortText.default(''),
  }),
  z.object({ type: z.literal('proof'), proof: hexBytes(PROOF_BYTES) }),
  z.object({ type: z.literal('subscribe'), ...subjects }).refine(hasSubjects, SUBJECTS_SENTENCE),
  z.object({ type: z.literal('unsubscribe'), ...subjects }).refine(hasSubjects, SUBJECTS_SENTENCE),
  z.object({
    type: z.literal('publish'),
    id,
    channels: channels.min(1),
    data,
    sender: shortText.default(''),
    message_id: shortText.default(''),
    exclude_sender: z.boolean().default(false),
  }),
  z.object({ type: z.literal('enqueue'), id, queue, data }),
  z.object({
    type: z.literal('watch'),
    id,
    queue: watchableQueue,
    concurrency: z.int().min(1).max(CONCURRENCY_MAX).default(1),
  }),
  z.object({ type: z.literal('unwatch'), queue: watchableQueue }),
  z.object({ type: z.literal('done'), ...itemAttempt }),
  z.object({ type: z.literal('failed'), ...itemAttempt }),
]);

/** Hub to peer in the JSON dialect. */
export const hubJsonReply = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('challenge'),
    nonce: hexBytes(NONCE_BYTES),
    proof: hexBytes(PROOF_BYTES),
    other_proof: hexBytes(PROOF_BYTES).optional(),
  }),
  z.object({
    type: z.literal('welcome'),
    version: z.int(),
    heartbeat_ms: z.int(),
    frame_bytes_max: z.int(),
  }),
  z.object({
    type: z.literal('subscribed'),
    id,
    positions: z.array(position),
    prefixes: z.array(z.string()),
  }),
  z.object({ type: z.literal('unsubscribed'), id: commandId }),
  z.object({ type: z.literal('published'), id: commandId, positions: z.array(position) }),
  z.object({
    type: z.literal('event'),
    channel: z.string(),
    offset: z.int(),
    data: z.json().optional(),
    data_base64: z.string().optional(),
    sender: z.string().optional(),
    message_id: z.string().optional(),
  }),
  z.object({ type: z.literal('enqueued'), id: commandId }),
  z.object({
    type: z.literal('item'),
    queue: z.string(),
    item: z.int(),
    attempt: z.int(),
    data: z.json().optional(),
    data_base64: z.string().optional(),
  }),
  z.object({ type: z.literal('error'), id, code: z.string(), message: z.string() }),
]);

export type HubJsonRequest = z.infer<typeof hubJsonRequest>;
export type HubJsonReply = z.infer<typeof hubJsonReply>;

/** Reads the body of a JSON frame from a peer. Throws only ProtocolError, with a sentence that names the field. */
export function parseHubJsonRequest(body: Uint8Array): HubJsonRequest {
  let value: unknown;
  try {
    value = JSON.parse(decodeText(body));
  } catch (cause) {
    throw new ProtocolError('bad_json', 'The body is not JSON in UTF-8.', { cause });
  }
  if (!isJsonObject(value)) throw new ProtocolError('bad_json');
  // How many keys a publisher's data has is its own business: the frame bounds it.
  if (!isBounded(value, Number.POSITIVE_INFINITY)) {
    throw new ProtocolError(
      'bad_json',
      `The JSON nests deeper than ${JSON_DEPTH_MAX}, or has a number out of range.`,
    );
  }
  // zod looks at every item before it counts them, which takes long for a list of millions.
  for (const list of [value['channels'], value['prefixes']]) {
    if (Array.isArray(list) && list.length > CHANNELS_PER_FRAME_MAX) {
      throw new ProtocolError('bad_field', `A request names at most ${CHANNELS_PER_FRAME_MAX} channels.`);
    }
  }
  const result = hubJsonRequest.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const sentence = `${issue?.path.join('.') || 'message'}: ${issue?.message}`;
  throw new ProtocolError('bad_field', sentence.slice(0, 200), { cause: result.error });
}
