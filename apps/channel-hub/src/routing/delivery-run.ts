import { frameLength } from '@groupcast/protocol';
import type { Subscriber } from './subscriber.ts';

const NO_SUBSCRIBERS: readonly Subscriber[] = [];
const NO_BYTES = new Uint8Array(0);

/**
 * Collects DELIVER frames side by side that have the same subscribers, whatever their channels, and
 * delivers them as one slice for each subscriber.
 */
export class DeliveryRun {
  #audience: readonly Subscriber[] = NO_SUBSCRIBERS;
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  #count = 0;
  #slicesSent = 0;
  #copiesSent = 0;
  #bytesSent = 0;

  /** Slices delivered since the start, once per subscriber. */
  get slicesSent(): number {
    return this.#slicesSent;
  }

  /** Publications delivered since the start, once per subscriber. */
  get copiesSent(): number {
    return this.#copiesSent;
  }

  /** Bytes delivered since the start, once per subscriber. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /**
   * Adds `count` frames for the subscribers in `audience`. Returns the array of the same
   * subscribers that the run holds: a channel that keeps it is recognized by identity the next
   * time. Returns `undefined`, and adds nothing, when the frames cannot leave with those of before:
   * flush first, and read the audience again, since subscribers may leave during the flush.
   */
  add(
    audience: readonly Subscriber[],
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
  ): readonly Subscriber[] | undefined {
    if (this.#count === 0) {
      this.#audience = audience;
      this.#bytes = bytes;
      this.#start = start;
    } else if (bytes !== this.#bytes || start !== this.#end || !isSame(audience, this.#audience)) {
      return undefined;
    }
    this.#end = end;
    this.#count += count;
    return this.#audience;
  }

  /** Delivers all frames that were added. */
  flush(): void {
    if (this.#count === 0) return;
    const audience = this.#audience;
    const count = this.#count;
    const frames = this.#bytes.subarray(this.#start, this.#end);
    // Emptied first: a subscriber may cause further deliveries.
    this.#audience = NO_SUBSCRIBERS;
    this.#bytes = NO_BYTES;
    this.#count = 0;
    let single: readonly Uint8Array[] | undefined;
    for (const subscriber of audience) {
      if (subscriber.acceptsRuns) {
        subscriber.deliverRun(frames, count);
        continue;
      }
      single ??= split(frames);
      for (const frame of single) subscriber.deliver(frame);
    }
    this.#slicesSent += audience.length;
    this.#copiesSent += audience.length * count;
    this.#bytesSent += audience.length * frames.length;
  }
}

function isSame(one: readonly Subscriber[], other: readonly Subscriber[]): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) {
    if (one[index] !== other[index]) return false;
  }
  return true;
}

function split(frames: Uint8Array): Uint8Array[] {
  const single: Uint8Array[] = [];
  for (let at = 0; at < frames.length; ) {
    const end = at + frameLength(frames, at);
    single.push(frames.subarray(at, end));
    at = end;
  }
  return single;
}
