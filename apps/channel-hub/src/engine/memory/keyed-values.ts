import { limits, native, ProtocolError, utf8ByteLength } from '@groupcast/protocol';
import { OrderedMap } from '@js-sdsl/ordered-map';
import type { KeyedStats } from '../engine.ts';
import type { KeyedLimits } from './keyed-limits.ts';

/** Bytes that a value costs beside its frame, its channel and its key. */
export const VALUE_BYTES = 256;

/** Limit of expired values that one step removes. */
const SWEEP_VALUES_MAX = 1_000;

/** No channel has it in its name, so ids of one channel are neighbours. */
const SEPARATOR = '\n';

/** The newest publication of a key. */
interface KeyedValue {
  /** Channel and key. */
  readonly id: string;
  /** The DELIVER, one character per byte: a buffer of its own would cost 300 bytes more. */
  readonly frame: string;
  readonly offset: number;
  /** Time at which it expires, in milliseconds; Infinity: never. */
  readonly expiresMs: number;
  readonly bytes: number;
}

/** Newest publications of some keys of a channel. */
export interface KeyedPage {
  /** DELIVER frames in the order of the keys: up to 64 KiB, at least one if any exists. */
  readonly frames: readonly Uint8Array[];
  /** Whether there are further keys. */
  readonly more: boolean;
}

/**
 * Values of the keys of all channels: the newest publication of each key, until it is removed or
 * expires. All times are milliseconds of one clock, which the caller reads.
 *
 * An ordered map finds where a snapshot continues, also when its last key is gone. A second one has
 * the values that expire, so that nothing is searched for them.
 */
export class KeyedValues {
  readonly #limits: KeyedLimits;
  readonly #values = new OrderedMap<string, KeyedValue>([], compareTexts);
  readonly #expiring = new OrderedMap<KeyedValue, true>([], compareExpiries);
  #bytes = 0;
  #rejected = 0;
  #expired = 0;

  constructor(keyedLimits: KeyedLimits) {
    this.#limits = keyedLimits;
  }

  stats(): KeyedStats {
    return {
      keys: this.#values.size(),
      bytes: this.#bytes,
      rejected: this.#rejected,
      expired: this.#expired,
    };
  }

  /**
   * Returns the error of a publication whose value has no room, which must not get an offset.
   * `frameBytes` is the length of its frame.
   */
  faultOf(
    { channel, payload }: native.Publication,
    { key }: native.Keyed,
    frameBytes: number,
    nowMs: number,
  ): ProtocolError | undefined {
    if (payload.length === 0) return undefined;
    const id = idOf(channel, key);
    const bytes = bytesOf(id, frameBytes);
    while (!this.#hasRoom(id, bytes)) {
      if (this.#dropExpired(nowMs)) continue;
      this.#rejected += 1;
      return this.#keysFull(bytes);
    }
    return undefined;
  }

  /**
   * Keeps a copy of the DELIVER `frame` as the value of its key, or removes the key if its payload
   * is empty.
   */
  apply(
    { channel, payload }: native.Publication,
    keyed: native.Keyed,
    frame: Uint8Array,
    nowMs: number,
  ): void {
    const id = idOf(channel, keyed.key);
    const old = this.#values.getElementByKey(id);
    if (old !== undefined) this.#forget(old);
    if (payload.length === 0) {
      this.#values.eraseElementByKey(id);
      return;
    }
    const expiresMs = keyed.lifeMs === 0 ? Number.POSITIVE_INFINITY : nowMs + keyed.lifeMs;
    const offset = native.numberAt(frame, 0);
    const value = { id, frame: latin1Of(frame), offset, expiresMs, bytes: bytesOf(id, frame.length) };
    this.#values.setElement(id, value);
    this.#bytes += value.bytes;
    if (keyed.lifeMs > 0) this.#expiring.setElement(value, true);
  }

  /** Returns values of the channel, from the first key after `afterKey` on. */
  page(channel: string, afterKey: string, nowMs: number): KeyedPage {
    // The rest of a great many expired values may be in the page, with the shortest life.
    this.sweep(nowMs);
    const ofChannel = idOf(channel, '');
    const frames: Uint8Array[] = [];
    let bytes = 0;
    for (const next = this.#values.upperBound(ofChannel + afterKey); next.isAccessible(); next.next()) {
      const value = next.pointer[1];
      if (!value.id.startsWith(ofChannel)) break;
      bytes += value.frame.length;
      if (frames.length > 0 && bytes > limits.HISTORY_PAGE_BYTES_MAX) return { frames, more: true };
      frames.push(withLife(Buffer.from(value.frame, 'latin1'), value.expiresMs - nowMs));
    }
    return { frames, more: false };
  }

  /**
   * Returns frames of history with what remains of the lives of their values. A frame whose value
   * was replaced is unchanged: the publication that replaced it follows.
   */
  withRemainingLives(frames: readonly Uint8Array[], nowMs: number): readonly Uint8Array[] {
    if (!frames.some((frame) => native.isKeyed(frame))) return frames;
    return frames.map((frame) => (native.isKeyed(frame) ? this.#withRemainingLife(frame, nowMs) : frame));
  }

  /** Removes some of the expired values. Returns whether there are more. */
  sweep(nowMs: number): boolean {
    for (let left = SWEEP_VALUES_MAX; left > 0; left--) {
      if (!this.#dropExpired(nowMs)) return false;
    }
    return true;
  }

  #withRemainingLife(frame: Uint8Array, nowMs: number): Uint8Array {
    const { channel, keyed, payload, number } = native.decodePublication(frame);
    if (keyed === undefined || keyed.lifeMs === 0 || payload.length === 0) return frame;
    const value = this.#values.getElementByKey(idOf(channel, keyed.key));
    // If it is gone, it has expired, or was removed by a publication that follows.
    const expiresMs = value?.expiresMs ?? nowMs;
    if (value !== undefined && value.offset !== number) return frame;
    return withLife(new Uint8Array(frame), expiresMs - nowMs);
  }

  /** Returns whether the value is not longer than the one of its key, or fits the limits. */
  #hasRoom(id: string, bytes: number): boolean {
    const { valuesMax, bytesMax } = this.#limits;
    const old = this.#values.getElementByKey(id);
    if (old === undefined && this.#values.size() >= valuesMax) return false;
    const added = bytes - (old?.bytes ?? 0);
    return (old !== undefined && added <= 0) || this.#bytes + added <= bytesMax;
  }

  #keysFull(bytes: number): ProtocolError {
    const { valuesMax, bytesMax } = this.#limits;
    return new ProtocolError(
      'keys_full',
      `A value of ${bytes} bytes has no room: ${this.#values.size()} of ${valuesMax} keys (--keyed-values-max) have ${this.#bytes} of ${bytesMax} bytes (--keyed-bytes-max). Remove keys, or raise the limits.`,
    );
  }

  /** Removes the value that expired first. Returns false if none has. */
  #dropExpired(nowMs: number): boolean {
    const value = this.#expiring.front()?.[0];
    if (value === undefined || value.expiresMs > nowMs) return false;
    this.#forget(value);
    this.#values.eraseElementByKey(value.id);
    this.#expired += 1;
    return true;
  }

  /** Subtracts a value that is about to be removed or replaced. */
  #forget(value: KeyedValue): void {
    this.#bytes -= value.bytes;
    if (value.expiresMs !== Number.POSITIVE_INFINITY) this.#expiring.eraseElementByKey(value);
  }
}

function idOf(channel: string, key: string): string {
  return channel + SEPARATOR + key;
}

function bytesOf(id: string, frameBytes: number): number {
  return VALUE_BYTES + utf8ByteLength(id) + frameBytes;
}

/** Writes the life of a keyed frame, at least 1 millisecond; Infinity leaves it as it is. */
function withLife(frame: Uint8Array, lifeMs: number): Uint8Array {
  // A sum of times may be rounded up.
  const written = Math.min(Math.max(1, Math.ceil(lifeMs)), Number.MAX_SAFE_INTEGER);
  if (lifeMs !== Number.POSITIVE_INFINITY) native.writeLife(frame, written);
  return frame;
}

function latin1Of(frame: Uint8Array): string {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('latin1');
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareExpiries(a: KeyedValue, b: KeyedValue): number {
  return a.expiresMs - b.expiresMs || compareTexts(a.id, b.id);
}
