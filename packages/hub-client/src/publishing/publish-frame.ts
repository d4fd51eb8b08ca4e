import { types } from 'node:util';
import { isChannelName, limits, native, ProtocolError, utf8ByteLength } from '@groupcast/protocol';

export interface PublishOptions {
  /** Kind of the payload. Default: `text` for a string, `bytes` for bytes. */
  readonly kind?: native.PayloadKind | undefined;
  /** Client id of the publisher. */
  readonly sender?: string | undefined;
  /** Keeps the publication from the connection whose client id is `sender`. */
  readonly excludeSender?: boolean | undefined;
  /** Identifies repetitions of this publish, at most 255 bytes. */
  readonly messageId?: string | undefined;
}

/** Returns a PUBLISH frame, or the error of invalid arguments. `request` is 0 for no answer. */
export function publishFrame(
  channel: string,
  payload: string | Uint8Array,
  options: PublishOptions,
  request: number,
): Uint8Array | ProtocolError {
  if (!isChannelName(channel)) return new ProtocolError('bad_channel');
  const kind = options.kind ?? defaultKind(payload);
  const fault = payloadFault(kind, payload);
  if (fault !== undefined) return fault;
  const sender = options.sender ?? '';
  const messageId = options.messageId ?? '';
  if (!isShortText(sender) || !isShortText(messageId)) {
    return new ProtocolError(
      'bad_field',
      `sender and messageId must be strings of at most ${limits.SHORT_TEXT_BYTES_MAX} bytes of UTF-8 each.`,
    );
  }
  return native.encodePublish({
    channel,
    kind,
    excludeSender: options.excludeSender ?? false,
    sender,
    messageId,
    payload,
    number: request,
  });
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

/** Returns whether a text fits a field with a one-byte length. */
export function isShortText(text: string): boolean {
  if (typeof text !== 'string') return false;
  const bytes = utf8ByteLength(text);
  return bytes >= 0 && bytes <= limits.SHORT_TEXT_BYTES_MAX;
}
