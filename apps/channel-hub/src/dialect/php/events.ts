import { groupOfChannel, native, php } from '@groupcast/protocol';
import { groupMessageData } from './bridge.ts';
import { phpMessageOf, phpOf } from './payload.ts';

/** A publish of a PHP peer: the event, and its data as received. */
interface PhpWritten {
  readonly event: string;
  readonly data: Uint8Array;
}

/** One publication as event frames, each of which is made once for all PHP peers. */
export class PhpPublication {
  readonly channel: string;
  /** The PUBLISH or DELIVER. */
  readonly #publication: Uint8Array;
  #written: PhpWritten | undefined;
  readonly #isFromPhp: boolean;
  // Nearly always there is one event: a Map would cost more than it saves.
  #event: string | undefined;
  #frame: Uint8Array | undefined;
  #others: Map<string, Uint8Array> | undefined;

  constructor(channel: string, publication: Uint8Array, written?: PhpWritten) {
    this.channel = channel;
    this.#publication = publication;
    this.#written = written;
    this.#isFromPhp = written !== undefined;
  }

  /** Returns the frame for the subscribers of an event. */
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

  /** Releases the bytes read, of which the data are a slice. */
  detach(): void {
    if (this.#written !== undefined) this.frame(this.#written.event);
    this.#written = undefined;
  }

  #dataOf(event: string): Uint8Array {
    // From PHP to PHP the bytes stay as they are.
    if (event === this.#written?.event) return this.#written.data;
    const publication = native.decodePublication(this.#publication);
    const group = groupOfChannel(this.channel);
    if (group === undefined) return phpOf(publication);
    const message = this.#isFromPhp ? phpOf(publication) : phpMessageOf(publication);
    return event === this.channel ? message : groupMessageData(group, message);
  }
}

/**
 * Finds the publication of a DELIVER frame. Where a PHP peer published it, its bytes are known: the
 * engine turns the PUBLISH into the DELIVER in place, most often within `publish`.
 */
export class PhpEvents {
  // The PUBLISH that is being published; frame undefined once it is delivered.
  #publishing: Uint8Array | undefined;
  #published: PhpPublication | undefined;
  // The last one asked for, as several subscribers ask for it in a row.
  #frame: Uint8Array | undefined;
  #publication: PhpPublication | undefined;
  // Published by PHP peers, and not yet delivered. Weak, because an engine may never deliver it.
  readonly #undelivered = new WeakMap<Uint8Array, PhpPublication>();

  /** Begins the publish of a PHP peer's frame, which `endPublish` ends. */
  beginPublish(frame: Uint8Array, publication: PhpPublication): void {
    this.#publishing = frame;
    this.#published = publication;
  }

  /** Keeps the publication for a later delivery if `isSubscribed`: a PHP peer is to get it. */
  endPublish(isSubscribed: boolean): void {
    const [frame, publication] = [this.#publishing, this.#published];
    this.#publishing = undefined;
    this.#published = undefined;
    if (!isSubscribed || frame === undefined || publication === undefined) return;
    publication.detach();
    this.#undelivered.set(frame, publication);
  }

  /**
   * Returns the publication of a DELIVER. If the engine delivers other bytes than it was given, the
   * value is the same, but not the spelling that PHP chose.
   */
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
    const publication = this.#undelivered.get(deliver);
    this.#undelivered.delete(deliver);
    return publication;
  }
}
