import { groupOfChannel, native, php } from '@groupcast/protocol';
import { groupMessageData } from './bridge.ts';
import { phpMessageOf, phpOf } from './payload.ts';

/** What a PHP peer published: the event, and its data as they came. */
interface PhpWritten {
  readonly event: string;
  readonly data: Uint8Array;
}

/** One publication, as event frames for PHP peers: each is made once, however many sessions want it. */
export class PhpPublication {
  readonly channel: string;
  /** The PUBLISH or DELIVER. */
  readonly #publication: Uint8Array;
  #written: PhpWritten | undefined;
  readonly #isFromPhp: boolean;
  // Nearly always there is one event, so that a Map would cost more than it saves.
  #event: string | undefined;
  #frame: Uint8Array | undefined;
  #others: Map<string, Uint8Array> | undefined;

  constructor(channel: string, publication: Uint8Array, written?: PhpWritten) {
    this.channel = channel;
    this.#publication = publication;
    this.#written = written;
    this.#isFromPhp = written !== undefined;
  }

  /** The whole frame for those who subscribed to the event. */
  frame(event: string): Uint8Array {
    if (this.#frame !== undefined && this.#event === event) return this.#frame;
    const known = this.#others?.get(event);
    if (known !== undefined) return known;
    const frame = php.eventFrame(event, this.#dataOf(event));
    if (this.#frame === undefined) {
      this.#event = event;
      this.#frame = frame;
    } else {
      this.#others ??= new Map();
      this.#others.set(event, frame);
    }
    return frame;
  }

  /** Lets go of what the data were read with, of which they are a slice. */
  keep(): void {
    if (this.#written !== undefined) this.frame(this.#written.event);
    this.#written = undefined;
  }

  #dataOf(event: string): Uint8Array {
    // From PHP to PHP it is what it was, to the byte.
    if (event === this.#written?.event) return this.#written.data;
    const publication = native.decodePublication(this.#publication);
    const group = groupOfChannel(this.channel);
    if (group === undefined) return phpOf(publication);
    const message = this.#isFromPhp ? phpOf(publication) : phpMessageOf(publication);
    return event === this.channel ? message : groupMessageData(group, message);
  }
}

/** The publications of DELIVER frames. */
export class PhpEvents {
  // What is being published: until the engine has it, or has delivered it.
  #publishing: Uint8Array | undefined;
  #published: PhpPublication | undefined;
  // What was asked for last: a publication goes to all its subscribers in a row.
  #frame: Uint8Array | undefined;
  #publication: PhpPublication | undefined;
  // What PHP peers published and an engine has yet to deliver. Weak, because it may never do so.
  readonly #waiting = new WeakMap<Uint8Array, PhpPublication>();

  /** A PHP peer publishes this frame: until `published`. */
  publishing(frame: Uint8Array, publication: PhpPublication): void {
    this.#publishing = frame;
    this.#published = publication;
  }

  /** The engine has the frame. `isAwaited`: a PHP peer is to have it, also where the engine delivers it later. */
  published(isAwaited: boolean): void {
    const [frame, publication] = [this.#publishing, this.#published];
    this.#publishing = undefined;
    this.#published = undefined;
    if (!isAwaited || frame === undefined || publication === undefined) return;
    publication.keep();
    this.#waiting.set(frame, publication);
  }

  /** An engine that hands the publication on in another frame loses what PHP wrote, and keeps what it means. */
  of(deliver: Uint8Array): PhpPublication {
    if (this.#publication !== undefined && this.#frame === deliver) return this.#publication;
    const publication =
      this.#takeKnown(deliver) ?? new PhpPublication(native.decodePublication(deliver).channel, deliver);
    this.#frame = deliver;
    this.#publication = publication;
    return publication;
  }

  #takeKnown(deliver: Uint8Array): PhpPublication | undefined {
    if (this.#publishing === deliver) {
      this.#publishing = undefined;
      return this.#published;
    }
    const waiting = this.#waiting.get(deliver);
    this.#waiting.delete(deliver);
    return waiting;
  }
}
