import { isChannelName, limits, native, ProtocolError, utf8ByteLength } from '@groupcast/protocol';

export interface PublishOptions {
  /** Default: `text` for a string, `bytes` for bytes. */
  readonly kind?: native.PayloadKind | undefined;
  /** Client id of the publisher. */
  readonly sender?: string | undefined;
  /** Keep the publication from the connection whose client id is `sender`. */
  readonly excludeSender?: boolean | undefined;
  /** Makes a repetition of this publish recognisable, at most 255 bytes. */
  readonly messageId?: string | undefined;
}

/** A PUBLISH frame, or why there can be none. `request` is 0 where no answer is wanted. */
export function publishFrame(
  channel: string,
  payload: string | Uint8Array,
  options: PublishOptions,
  request: number,
): Uint8Array | ProtocolError {
  if (!isChannelName(channel)) return new ProtocolError('bad_channel');
  const sender = options.sender ?? '';
  const messageId = options.messageId ?? '';
  if (!isShortText(sender) || !isShortText(messageId)) {
    return new ProtocolError(
      'bad_field',
      `sender and messageId may have ${limits.SHORT_TEXT_BYTES_MAX} bytes each.`,
    );
  }
  return native.encodePublish({
    channel,
    kind: options.kind ?? (typeof payload === 'string' ? 'text' : 'bytes'),
    excludeSender: options.excludeSender ?? false,
    sender,
    messageId,
    payload,
    number: request,
  });
}

/** Whether a text fits a field with a one-byte length. */
export function isShortText(text: string): boolean {
  const bytes = utf8ByteLength(text);
  return bytes >= 0 && bytes <= limits.SHORT_TEXT_BYTES_MAX;
}
