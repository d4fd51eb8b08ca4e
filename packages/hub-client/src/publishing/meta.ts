import { limits, ProtocolError, utf8ByteLength } from '@groupcast/protocol';

/** Returns the text of a publication's meta, or the error of an invalid one. */
export function metaText(meta: object | string): string | ProtocolError {
  const text = typeof meta === 'string' ? meta : jsonOf(meta);
  if (text instanceof ProtocolError) return text;
  // Receivers must not trust a meta. To parse each would cost more than to publish.
  if (!text.startsWith('{') || !text.endsWith('}')) return notAnObject();
  const bytes = utf8ByteLength(text);
  if (bytes < 0) return new ProtocolError('bad_field', 'meta has half a surrogate pair.');
  if (bytes <= limits.META_BYTES_MAX) return text;
  return new ProtocolError('bad_field', `meta has ${bytes} bytes; ${limits.META_BYTES_MAX} are allowed.`);
}

function jsonOf(meta: object): string | ProtocolError {
  try {
    return JSON.stringify(meta) ?? notAnObject();
  } catch (cause) {
    return notAnObject(cause);
  }
}

function notAnObject(cause?: unknown): ProtocolError {
  const sentence = 'meta must be an object that JSON can hold, or the text of a JSON object.';
  return new ProtocolError('bad_field', sentence, cause === undefined ? undefined : { cause });
}
