import { types } from 'node:util';
import { isChannelName, isKey, limits, native, ProtocolError, utf8ByteLength } from '@groupcast/protocol';
import { metaText } from './meta.ts';

export interface PublishOptions {
  /** Kind of the payload. Default: `text` for a string, `bytes` for bytes. */
  readonly kind?: native.PayloadKind | undefined;
  /** Client id of the publisher. */
  readonly sender?: string | undefined;
  /** Keeps the publication from the connection whose client id is `sender`. */
  readonly excludeSender?: boolean | undefined;
  /** Identifies repetitions of this publish, at most 255 bytes. */
  readonly messageId?: string | undefined;
  /** Publishes without an offset and outside of history. It may be lost. Not with `messageId`. */
  readonly ephemeral?: boolean | undefined;
  /** JSON object of at most 4,096 bytes beside the payload, or its text, which is not parsed. */
  readonly meta?: object | string | undefined;
  /** Makes the payload the value of a key. An empty one removes the key. Not with `ephemeral`. */
  readonly keyed?: KeyedOptions | undefined;
}

/** Options of `HubClient.sendToUser`. */
export type UserMessageOptions = Omit<PublishOptions, 'keyed'>;

export interface KeyedOptions {
  /** 1 to 520 bytes of UTF-8. */
  readonly key: string;
  /** Milliseconds until the value expires, from when the hub has it. Default 0: never. */
  readonly lifeMs?: number | undefined;
}

/** Returns a PUBLISH frame, or the error of invalid arguments. `request` is 0 for no answer. */
export function publishFrame(
  channel: string,
  payload: string | Uint8Array,
  options: PublishOptions,
  request: number,
): Uint8Array | ProtocolError {
  const { kind = defaultKind(payload), sender = '', messageId = '', ephemeral = false, keyed } = options;
  const meta = options.meta === undefined ? '' : metaText(options.meta);
  const fault =
    (isChannelName(channel) ? undefined : new ProtocolError('bad_channel')) ??
    payloadFault(kind, payload) ??
    shortTextFault('sender', sender) ??
    shortTextFault('messageId', messageId) ??
    (ephemeral ? ephemeralFault(options) : undefined) ??
    (keyed === undefined ? undefined : keyedFault(keyed));
  if (fault !== undefined) return fault;
  if (meta instanceof ProtocolError) return meta;
  return native.encodePublish({
    channel,
    kind,
    excludeSender: options.excludeSender ?? false,
    sender,
    messageId,
    meta,
    ephemeral,
    keyed: keyed && { key: keyed.key, lifeMs: keyed.lifeMs ?? 0 },
    payload,
    number: request,
  });
}

/** Returns the bits of `native.CAPABILITIES` without which a hub must not get the publication. */
export function capabilityOf({ ephemeral, keyed }: PublishOptions): number {
  if (ephemeral === true) return native.CAPABILITIES.ephemeral;
  return keyed === undefined ? 0 : native.CAPABILITIES.keyed;
}

function ephemeralFault({ messageId = '', keyed }: PublishOptions): ProtocolError | undefined {
  if (messageId !== '')
    return new ProtocolError('bad_field', 'ephemeral: such a publication has no messageId. Leave one out.');
  if (keyed === undefined) return undefined;
  return new ProtocolError('bad_field', 'ephemeral: such a publication has no key. Leave one out.');
}

function keyedFault(keyed: KeyedOptions): ProtocolError | undefined {
  const { key, lifeMs = 0 }: Partial<KeyedOptions> = keyed ?? {};
  if (!isKey(key))
    return new ProtocolError(
      'bad_field',
      `keyed.key must be a string of 1 to ${limits.KEY_BYTES_MAX} bytes of UTF-8.`,
    );
  if (Number.isSafeInteger(lifeMs) && lifeMs >= 0) return undefined;
  return new ProtocolError(
    'bad_field',
    `keyed.lifeMs is ${lifeMs}; it must be an integer of milliseconds from 0, which is for ever.`,
  );
}

const KINDS: ReadonlySet<unknown> = new Set<native.PayloadKind>(['text', 'json', 'bytes']);

/** Returns the default kind of a payload. */
export function defaultKind(payload: string | Uint8Array): native.PayloadKind {
  return typeof payload === 'string' ? 'text' : 'bytes';
}

/** Returns the error of an invalid payload or kind: callers may not be typed. */
export function payloadFault(
  kind: native.PayloadKind,
  payload: string | Uint8Array,
): ProtocolError | undefined {
  if (!KINDS.has(kind)) return new ProtocolError('bad_field', 'kind must be text, json or bytes.');
  if (typeof payload === 'string' || types.isUint8Array(payload)) return undefined;
  return new ProtocolError('bad_field', 'payload must be a string or a Uint8Array.');
}

/** Returns the error of a text that does not fit a field with a one-byte length. */
export function shortTextFault(name: string, text: string): ProtocolError | undefined {
  if (isShortText(text)) return undefined;
  return new ProtocolError(
    'bad_field',
    `${name} must be a string of at most ${limits.SHORT_TEXT_BYTES_MAX} bytes of UTF-8.`,
  );
}

/** Returns whether a text fits a field with a one-byte length. */
export function isShortText(text: string): boolean {
  if (typeof text !== 'string') return false;
  const bytes = utf8ByteLength(text);
  return bytes >= 0 && bytes <= limits.SHORT_TEXT_BYTES_MAX;
}
