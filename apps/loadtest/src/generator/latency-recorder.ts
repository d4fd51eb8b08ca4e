import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';

/** Values up to here have a slot each; above, every doubling has half as many slots: an error below 0.1 %, as 3 digits of HDR. */
const LINEAR_MAX = 2_048;
const HALF = LINEAR_MAX / 2;
const LINEAR_BITS = 11;
const VALUE_MAX = 2 ** 31 - 1;
const SLOTS = LINEAR_MAX + (31 - LINEAR_BITS) * HALF;

/**
 * Counts latencies in whole microseconds, up to 35 minutes. The library's own `recordValue` takes 140 ns where this takes a few,
 * a share of what a delivery costs that would be seen in the results; so the counting is here, in the same kind of
 * buckets, and the library does the rest once at the end: merging, percentiles and its well-known encoding.
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

  /** All that was recorded, in HdrHistogram's compressed encoding. */
  encode(): string {
    const histogram = emptyHistogram();
    for (const [slot, count] of this.#counts.entries()) {
      // The slot of the largest value stands for it exactly.
      if (count > 0) histogram.recordValueWithCount(Math.min(slotValue(slot), this.#maxUs), count);
    }
    return encodeIntoCompressedBase64(histogram);
  }
}

/** What several recorders counted, as one histogram of microseconds. */
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

/** The middle of a slot. */
function slotValue(slot: number): number {
  if (slot < LINEAR_MAX) return slot;
  const doubling = Math.floor((slot - LINEAR_MAX) / HALF);
  const width = 2 ** (doubling + 1);
  return (HALF + ((slot - LINEAR_MAX) % HALF)) * width + width / 2;
}
