import { groupOfChannel, native, php } from '@groupcast/protocol';
import { groupMessageData } from './php-bridge.ts';
import { phpOf } from './php-payload.ts';

/** One publication, as event frames for PHP peers: each is made once, however many sessions want it. */
export class PhpPublication {
  readonly channel: string;
  /** The event that a PHP peer published, and its data as they came. */
  readonly #event: string | undefined;
  readonly #data: Uint8Array | undefined;
  /** What another peer published. */
  readonly #payload: Pick<native.Publication, 'kind' | 'payload'>;
  readonly #frames = new Map<string, Uint8Array>();

  constructor(
    channel: string,
    payload: Pick<native.Publication, 'kind' | 'payload'>,
    event?: string,
    data?: Uint8Array,
  ) {
    this.channel = channel;
    this.#payload = payload;
    this.#event = event;
    this.#data = data;
  }

  /** The whole frame for those who subscribed to the event. */
  frame(event: string): Uint8Array {
    let frame = this.#frames.get(event);
    if (frame === undefined) {
      frame = php.eventFrame(event, this.#dataOf(event));
      this.#frames.set(event, frame);
    }
    return frame;
  }

  #dataOf(event: string): Uint8Array {
    // From PHP to PHP it is what it was, to the byte.
    if (event === this.#event && this.#data !== undefined) return this.#data;
    const value = phpOf(this.#payload);
    const group = event === this.channel ? undefined : groupOfChannel(this.channel);
    return group === undefined ? value : groupMessageData(group, value);
  }
}

/** The publications of DELIVER frames. */
export class PhpEvents {
  // Weak, so that what was made of a publication lives as long as it does.
  readonly #known = new WeakMap<Uint8Array, PhpPublication>();

  /** A PHP peer published this frame. */
  remember(frame: Uint8Array, publication: PhpPublication): void {
    this.#known.set(frame, publication);
  }

  /** An engine that hands the publication on in another frame loses what PHP wrote, and keeps what it means. */
  of(deliver: Uint8Array): PhpPublication {
    let publication = this.#known.get(deliver);
    if (publication === undefined) {
      const { channel, kind, payload } = native.decodePublication(deliver);
      publication = new PhpPublication(channel, { kind, payload });
      this.#known.set(deliver, publication);
    }
    return publication;
  }
}
