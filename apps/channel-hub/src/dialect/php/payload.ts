import { isUtf8 } from 'node:buffer';
import { decodeText, encodeText, limits, type native, php } from '@groupcast/protocol';
import type { ItemKind } from '../../queue/work-queue.ts';

/** A payload as peers of other dialects get it. */
export interface PhpPayload {
  readonly kind: native.PayloadKind;
  readonly payload: Uint8Array;
  /** How many values within it JSON could not say. */
  readonly lossy: number;
}

/** A string is text, or bytes where it is no UTF-8; anything else is JSON. The bytes of a string are a slice of those that were read. Throws ProtocolError for what is no PHP value. */
export function payloadOf(
  bytes: Uint8Array,
  { start, end }: php.PhpSpan = { start: 0, end: bytes.length },
): PhpPayload {
  const string = php.stringOf(bytes, start, end);
  if (string !== undefined) return { kind: isUtf8(string) ? 'text' : 'bytes', payload: string, lossy: 0 };
  const { text, lossy } = php.toJson(php.decodePhp(bytes, start, end));
  return { kind: 'json', payload: encodeText(text), lossy };
}

/** An item of a queue as peers of other dialects get it. */
export function itemPayloadOf(kind: ItemKind, payload: Uint8Array): PhpPayload {
  return kind === 'php' ? payloadOf(payload) : { kind, payload, lossy: 0 };
}

// A value may be sent back as it came, within a request and within the data of a bridged event: there must be room for these around it.
const DEPTH_MAX = limits.PHP_DEPTH_MAX - 2;
const ELEMENTS_MAX = limits.PHP_ELEMENTS_MAX - 16;

type Payload = Pick<native.Publication, 'kind' | 'payload'>;

/** A payload as a serialized PHP value. */
export function phpOf(payload: Payload): Uint8Array {
  return php.encodePhp(phpValueOf(payload));
}

/**
 * The same for a message to a group that no PHP peer published. Workers hand it to
 * `$connection->send()`, which ends the process for a number, a boolean or null: these become
 * their JSON text.
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
    // That it is JSON was only a claim, or it is more than PHP may have: the bytes are a string, as they came.
    return payload;
  }
}
