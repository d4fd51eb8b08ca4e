import type { native } from '@groupcast/protocol';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import type { Member } from './member.ts';

/** Encoding of a batch for one protocol, in a linked list. */
interface Encoded {
  readonly protocol: ClientProtocol;
  readonly frames: Uint8Array;
  readonly next: Encoded | undefined;
}

/**
 * Publications of one group, encoded once for each client protocol when its first member needs
 * them. All members with that protocol share the bytes.
 */
export class EncodedBatch {
  readonly #groupName: string;
  readonly #publications: readonly native.Publication[];
  /** Client ids of senders that are excluded from some of the publications. */
  readonly #senders: ReadonlySet<string> | undefined;
  /** Number of ephemeral publications. */
  readonly ephemeral: number;
  #stored: EncodedBatch | undefined;
  #encoded: Encoded | undefined;
  #bytesMax = 0;

  constructor(groupName: string, publications: readonly native.Publication[]) {
    this.#groupName = groupName;
    this.#publications = publications;
    let senders: Set<string> | undefined;
    let ephemeral = 0;
    for (const publication of publications) {
      if (publication.ephemeral) ephemeral += 1;
      if (!publication.excludeSender) continue;
      senders ??= new Set();
      senders.add(publication.sender);
    }
    this.#senders = senders;
    this.ephemeral = ephemeral;
  }

  /** Batch without the ephemeral publications, for members that are under pressure. */
  get stored(): EncodedBatch {
    this.#stored ??= new EncodedBatch(
      this.#groupName,
      this.#publications.filter(({ ephemeral }) => !ephemeral),
    );
    return this.#stored;
  }

  /** Number of publications that a member gets, unless it is excluded from some. */
  get size(): number {
    return this.#publications.length;
  }

  /** Bytes of the longest encoding so far. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Returns whether the member gets fewer publications than others: use `framesWithout` then. */
  excludes(member: Member): boolean {
    return this.#senders?.has(member.id) === true;
  }

  /** Returns the frames of all publications. */
  frames(protocol: ClientProtocol): Uint8Array {
    // Called for each member. Protocols are few, so that a list costs less than a Map.
    let encoded = this.#encoded;
    while (encoded !== undefined && encoded.protocol !== protocol) encoded = encoded.next;
    if (encoded !== undefined) return encoded.frames;
    const frames = this.#encode(protocol, this.#publications);
    this.#encoded = { protocol, frames, next: this.#encoded };
    return frames;
  }

  /** Returns the frames for an excluded sender, and their number. */
  framesWithout({ id, protocol }: Member): { readonly frames: Uint8Array; readonly count: number } {
    const kept = this.#publications.filter(({ excludeSender, sender }) => !(excludeSender && sender === id));
    return { frames: this.#encode(protocol, kept), count: kept.length };
  }

  #encode(protocol: ClientProtocol, publications: readonly native.Publication[]): Uint8Array {
    const frames = protocol.encodeMessages(this.#groupName, publications);
    this.#bytesMax = Math.max(this.#bytesMax, frames.length);
    return frames;
  }
}
