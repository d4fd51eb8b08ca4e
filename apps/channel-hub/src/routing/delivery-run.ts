import { frameLength } from '@groupcast/protocol';
import type { Topic } from './channel-subscribers.ts';
import type { Subscriber } from './subscriber.ts';

const NOBODY: readonly Subscriber[] = [];
const NOTHING = new Uint8Array(0);

/** What went to all subscribers together: slices, publications in them, bytes. */
interface HandedOut {
  readonly slices: number;
  readonly copies: number;
  readonly bytes: number;
}

const NOTHING_HANDED_OUT: HandedOut = { slices: 0, copies: 0, bytes: 0 };

/** DELIVERs that lie side by side and go to the same subscribers, whatever their channels: they leave as one slice for each. */
export class DeliveryRun {
  #audience: readonly Subscriber[] = NOBODY;
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;
  #count = 0;

  /** Frames for the topic's subscribers. False when they cannot leave with what is here: that must be flushed first. */
  add(topic: Topic, bytes: Uint8Array, start: number, end: number, count: number): boolean {
    const { audience } = topic;
    if (this.#count === 0) {
      this.#audience = audience;
      this.#bytes = bytes;
      this.#start = start;
    } else if (bytes !== this.#bytes || start !== this.#end) return false;
    else if (audience !== this.#audience) {
      if (!isSame(audience, this.#audience)) return false;
      topic.shareAudience(this.#audience);
    }
    this.#end = end;
    this.#count += count;
    return true;
  }

  /** Hands everything out. */
  flush(): HandedOut {
    if (this.#count === 0) return NOTHING_HANDED_OUT;
    const audience = this.#audience;
    const count = this.#count;
    const frames = this.#bytes.subarray(this.#start, this.#end);
    // Empty before anything is handed out: whoever gets it may do anything.
    this.#audience = NOBODY;
    this.#bytes = NOTHING;
    this.#count = 0;
    let single: readonly Uint8Array[] | undefined;
    for (const subscriber of audience) {
      if (subscriber.takesRuns) {
        subscriber.deliverRun(frames, count);
        continue;
      }
      single ??= split(frames);
      for (const frame of single) subscriber.deliver(frame);
    }
    const slices = audience.length;
    return { slices, copies: slices * count, bytes: slices * frames.length };
  }
}

function isSame(one: readonly Subscriber[], other: readonly Subscriber[]): boolean {
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
