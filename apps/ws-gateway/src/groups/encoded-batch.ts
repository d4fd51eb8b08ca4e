import type { native } from '@groupcast/protocol';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import type { Member } from './member.ts';

interface Encoded {
  readonly protocol: ClientProtocol;
  readonly frames: Uint8Array;
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
  readonly #encoded: Encoded[] = [];
  #bytesMax = 0;

  constructor(groupName: string, publications: readonly native.Publication[]) {
    this.#groupName = groupName;
    this.#publications = publications;
    const excluding = publications.filter((publication) => publication.excludeSender);
    if (excluding.length > 0) this.#senders = new Set(excluding.map((publication) => publication.sender));
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
    // Protocols are few, so that a scan costs less than a Map for each batch.
    for (const encoded of this.#encoded) if (encoded.protocol === protocol) return encoded.frames;
    const frames = this.#encode(protocol, this.#publications);
    this.#encoded.push({ protocol, frames });
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
