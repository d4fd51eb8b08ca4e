import { z } from 'zod';
import { JsonObjectText, type JsonPayload } from '../json/object-text.ts';
import {
  CHANNELS_PER_FRAME_MAX,
  CONCURRENCY_MAX,
  HISTORY_MESSAGES_MAX,
  JSON_NODES_MAX,
  KEY_BYTES_MAX,
  META_BYTES_MAX,
  NONCE_BYTES,
  PROOF_BYTES,
  SHORT_TEXT_BYTES_MAX,
} from '../limits.ts';
import {
  channelOfGroup,
  isChannelName,
  isGroupName,
  isKey,
  isQueueName,
  isWatchableQueueName,
} from '../name.ts';
import { ProtocolError } from '../protocol-error.ts';
import { decodeText } from '../text.ts';
import { fitsUtf8 } from '../utf8-length.ts';
import { commandId } from './command-id.ts';

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
const group = name.refine(isGroupName, 'not the name of a group');
const groups = z.array(group).max(CHANNELS_PER_FRAME_MAX).default([]);
const shortText = z
  .string()
  .refine((text) => fitsUtf8(text, SHORT_TEXT_BYTES_MAX), `at most ${SHORT_TEXT_BYTES_MAX} bytes of UTF-8`);
const subjects = { id, channels: channels.default([]), groups, prefixes: channels.default([]) };
/** Payload as the reader of the text found it. */
const data = z.custom<JsonPayload>(
  (payload) => payload !== undefined,
  'any JSON value; a string must have a UTF-8 form',
);
/** The text of a JSON object, as it is written. */
const meta = z
  .custom<JsonPayload | undefined>(
    (payload) => payload === undefined || isMeta(payload as JsonPayload),
    `a JSON object of at most ${META_BYTES_MAX} bytes`,
  )
  .transform((payload) => payload?.text ?? '');
const key = z.string().refine(isKey, `1 to ${KEY_BYTES_MAX} bytes of UTF-8`);
const position = z.object({
  channel: z.string(),
  group: z.string().optional(),
  epoch: z.string(),
  offset: z.int().nonnegative(),
});
// Any JSON value, also numbers beyond the range of a double.
const payload = { data: z.unknown().optional(), data_base64: z.string().optional() };
const publication = {
  offset: z.int().nonnegative(),
  time: z.int().nonnegative(),
  ...payload,
  sender: z.string().optional(),
  message_id: z.string().optional(),
  // An object, or a string where the publisher wrote no JSON object.
  meta: z.unknown().optional(),
  key: z.string().optional(),
  life_ms: z.int().positive().optional(),
  store: z.literal(false).optional(),
};

const SUBJECTS_SENTENCE = `1 to ${CHANNELS_PER_FRAME_MAX} channels, groups and prefixes`;

interface Named {
  readonly channels: readonly string[];
  readonly groups: readonly string[];
  readonly prefixes?: readonly string[];
}

function hasSubjects({ channels, groups, prefixes = [] }: Named): boolean {
  const count = channels.length + groups.length + prefixes.length;
  return count >= 1 && count <= CHANNELS_PER_FRAME_MAX;
}

/** Appends the groups to the channels, under their channel names. */
function asChannels<T extends Named>({ groups, ...request }: T): Omit<T, 'groups'> {
  return { ...request, channels: [...request.channels, ...groups.map(channelOfGroup)] };
}

function isMeta({ kind, text }: JsonPayload): boolean {
  return kind === 'json' && text.startsWith('{') && fitsUtf8(text, META_BYTES_MAX);
}

interface Kept {
  readonly store: boolean;
  readonly message_id: string;
  readonly key?: string | undefined;
  readonly life_ms?: number | undefined;
}

/** Returns whether the fields of a publication go together. */
function isConsistent({ store, message_id: messageId, key, life_ms: lifeMs }: Kept): boolean {
  return key === undefined ? lifeMs === undefined && (store || messageId === '') : store;
}

/** Request of a peer in the JSON dialect. Unknown fields are ignored. */
export const hubJsonRequest = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.int(),
    nonce: hexBytes(NONCE_BYTES),
    name: shortText.default(''),
  }),
  z.object({ type: z.literal('proof'), proof: hexBytes(PROOF_BYTES) }),
  z
    .object({ type: z.literal('subscribe'), ...subjects })
    .refine(hasSubjects, SUBJECTS_SENTENCE)
    .transform(asChannels),
  z
    .object({ type: z.literal('unsubscribe'), ...subjects })
    .refine(hasSubjects, SUBJECTS_SENTENCE)
    .transform(asChannels),
  z
    .object({
      type: z.literal('publish'),
      id,
      channels: channels.default([]),
      groups,
      data,
      sender: shortText.default(''),
      message_id: shortText.default(''),
      exclude_sender: z.boolean().default(false),
      meta,
      store: z.boolean().default(true),
      key: key.optional(),
      life_ms: z.int().nonnegative().optional(),
    })
    .refine(hasSubjects, `1 to ${CHANNELS_PER_FRAME_MAX} channels and groups`)
    .refine(isConsistent, 'life_ms needs a key; store false excludes key and message_id')
    .transform(asChannels),
  z
    .object({
      type: z.literal('history'),
      id: commandId,
      channel: channel.optional(),
      group: group.optional(),
      epoch: shortText.optional(),
      offset: z.int().nonnegative().optional(),
      last: z.int().min(1).max(HISTORY_MESSAGES_MAX).optional(),
      limit: z.int().min(1).max(HISTORY_MESSAGES_MAX).default(HISTORY_MESSAGES_MAX),
    })
    .refine(({ channel, group }) => (channel === undefined) !== (group === undefined), 'channel or group')
    .refine(
      ({ epoch, offset, last }) => last !== undefined || (epoch !== undefined && offset !== undefined),
      'either epoch and offset, or last',
    )
    .transform(({ channel = '', group, epoch = '', offset = 0, ...request }) => ({
      ...request,
      epoch,
      offset,
      channel: group === undefined ? channel : channelOfGroup(group),
    })),
  z.object({ type: z.literal('ping'), id }),
  z.object({ type: z.literal('enqueue'), id, queue, data, message_id: shortText.default('') }),
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

/** Reply of the hub in the JSON dialect. */
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
    group: z.string().optional(),
    ...publication,
  }),
  z.object({
    type: z.literal('history'),
    id: commandId,
    verdict: z.enum(['recovered', 'epoch_changed', 'trimmed']),
    epoch: z.string(),
    offset: z.int().nonnegative(),
    messages: z.array(z.object(publication)),
  }),
  z.object({ type: z.literal('pong'), id }),
  z.object({ type: z.literal('enqueued'), id: commandId }),
  z.object({
    type: z.literal('item'),
    queue: z.string(),
    item: z.int(),
    attempt: z.int(),
    ...payload,
    message_id: z.string().optional(),
  }),
  z.object({ type: z.literal('error'), id, code: z.string(), message: z.string() }),
]);

export type HubJsonRequest = z.infer<typeof hubJsonRequest>;
export type HubJsonReply = z.infer<typeof hubJsonReply>;

/** Fields that are forwarded as they are written. */
const PAYLOADS: readonly string[] = ['data', 'meta'];

/** Fields of all requests, except those that have their own readers. */
const FIELDS: ReadonlySet<string> = new Set(
  hubJsonRequest.options
    .flatMap((option) => Object.keys('in' in option ? option.in.shape : option.shape))
    .filter((name) => name !== 'id' && !PAYLOADS.includes(name)),
);

// The limit of values bounds the keys, too. A publisher's data is bounded by the frame only.
const BOUNDS = { payloads: PAYLOADS, keysMax: JSON_NODES_MAX, nodesMax: JSON_NODES_MAX };

/** Parses the body of a JSON frame. Throws only ProtocolError, whose sentence names the field. */
export function parseHubJsonRequest(body: Uint8Array): HubJsonRequest {
  const json = new JsonObjectText(textOf(body));
  json.scan(BOUNDS);
  const result = hubJsonRequest.safeParse(fieldsOf(json));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const sentence = `${issue?.path.join('.') || 'message'}: ${issue?.message}`;
  throw new ProtocolError('bad_field', sentence.slice(0, 200), { cause: result.error });
}

function textOf(body: Uint8Array): string {
  try {
    return decodeText(body);
  } catch (cause) {
    throw new ProtocolError('bad_json', 'The body is not JSON in UTF-8.', { cause });
  }
}

function fieldsOf(json: JsonObjectText): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of FIELDS) fields[name] = json.value(name);
  fields['id'] = json.id();
  for (const name of PAYLOADS) fields[name] = json.payload(name);
  return fields;
}
