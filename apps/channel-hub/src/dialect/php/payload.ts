import { isUtf8 } from 'node:buffer';
import { decodeText, encodeText, limits, type native, php } from '@groupcast/protocol';
import type { ItemKind } from '../../queue/work-queue.ts';

/** A payload for peers of other dialects. */
export interface PhpPayload {
  readonly kind: native.PayloadKind;
  readonly payload: Uint8Array;
  /** Number of values in it that JSON cannot represent. */
  readonly lossy: number;
}

/**
 * Reads a serialized PHP value as a payload: a string is text, or bytes if it is not UTF-8; any
 * other value is JSON. The bytes of a string are a slice of `bytes`. Throws ProtocolError for an
 * invalid value.
 */
export function payloadOf(
  bytes: Uint8Array,
  { start, end }: php.PhpSpan = { start: 0, end: bytes.length },
): PhpPayload {
  const string = php.stringOf(bytes, start, end);
  if (string !== undefined) return { kind: isUtf8(string) ? 'text' : 'bytes', payload: string, lossy: 0 };
  const { text, lossy } = php.toJson(php.decodePhp(bytes, start, end));
  return { kind: 'json', payload: encodeText(text), lossy };
}

/** Returns the payload of a queue item for peers of other dialects. */
export function itemPayloadOf(kind: ItemKind, payload: Uint8Array): PhpPayload {
  return kind === 'php' ? payloadOf(payload) : { kind, payload, lossy: 0 };
}

// A peer may send a value back within a request and the data of a bridged event: these need room.
const DEPTH_MAX = limits.PHP_DEPTH_MAX - 2;
const ELEMENTS_MAX = limits.PHP_ELEMENTS_MAX - 16;

type Payload = Pick<native.Publication, 'kind' | 'payload'>;

/** Returns a payload as a serialized PHP value. */
export function phpOf(payload: Payload): Uint8Array {
  return php.encodePhp(phpValueOf(payload));
}

/**
 * Returns a message to a group, not published by a PHP peer, as a serialized PHP value. A number, a
 * boolean or null becomes its JSON text: workers pass the message to `$connection->send()`, which
 * ends the process for these types.
 */
export function phpMessageOf(payload: Payload): Uint8Array {
  const value = phpValueOf(payload);
  const isText = typeof value === 'string' || value instanceof Uint8Array;
  if (isText || value instanceof php.PhpArray) return php.encodePhp(value);
  return php.encodePhp(decodeText(payload.payload).trim());
}

function phpValueOf({ kind, payload }: Payload): php.PhpValue {
  if (kind !== 'json') return payload;
  try {
    return php.fromJson(decodeText(payload), DEPTH_MAX, ELEMENTS_MAX);
  } catch {
    // Not JSON, whatever its kind claims, or beyond the limits of PHP: a string of the same bytes.
    return payload;
  }
}
