import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';

/**
 * Values up to here have a slot each. Above, every doubling has half as many slots: an error below
 * 0.1 %, like HDR with 3 digits.
 */
const LINEAR_MAX = 2_048;
const HALF = LINEAR_MAX / 2;
const LINEAR_BITS = 11;
const VALUE_MAX = 2 ** 31 - 1;
const SLOTS = LINEAR_MAX + (31 - LINEAR_BITS) * HALF;

/**
 * Counts latencies in whole microseconds, up to 35 minutes. The library's `recordValue` takes 140
 * ns, which would be visible in the results. So values are counted here, in the same kind of
 * buckets; the library merges them once at the end, and provides percentiles and its encoding.
 */
export class LatencyRecorder {
  readonly #counts = new Float64Array(SLOTS);
  #maxUs = 0;

  record(latencyUs: number): void {
    const value = latencyUs <= 0 ? 0 : latencyUs >= VALUE_MAX ? VALUE_MAX : latencyUs | 0;
    if (value > this.#maxUs) this.#maxUs = value;
    const slot = slotOf(value);
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  /** Returns all values in HdrHistogram's compressed encoding. */
  encode(): string {
    const histogram = emptyHistogram();
    for (const [slot, count] of this.#counts.entries()) {
      // The largest value is exact in its slot.
      if (count > 0) histogram.recordValueWithCount(Math.min(slotValue(slot), this.#maxUs), count);
    }
    return encodeIntoCompressedBase64(histogram);
  }
}

/** Merges recorders into one histogram of microseconds. */
export function mergeLatencies(encoded: readonly string[]): Histogram {
  const sum = emptyHistogram();
  for (const part of encoded) sum.add(decodeFromCompressedBase64(part));
  return sum;
}

function emptyHistogram(): Histogram {
  return build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: VALUE_MAX,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
  });
}

function slotOf(value: number): number {
  if (value < LINEAR_MAX) return value;
  const doubling = 31 - Math.clz32(value) - LINEAR_BITS;
  return LINEAR_MAX + doubling * HALF + (value >>> (doubling + 1)) - HALF;
}

/** Returns the middle of a slot. */
function slotValue(slot: number): number {
  if (slot < LINEAR_MAX) return slot;
  const doubling = Math.floor((slot - LINEAR_MAX) / HALF);
  const width = 2 ** (doubling + 1);
  return (HALF + ((slot - LINEAR_MAX) % HALF)) * width + width / 2;
}
