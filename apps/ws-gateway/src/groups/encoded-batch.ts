import type { native } from '@groupcast/protocol';
import { messageJson } from '../client-protocols/client-events.ts';
import { textFrames } from '../socket/outbound-frame.ts';
import type { ClientMode, Member } from './member.ts';

/**
 * The publications of one group and one turn, as the frames that members get. Each protocol's frames are made once, when
 * the first member that speaks it asks, and all its members share the bytes.
 */
export class EncodedBatch {
  readonly #groupName: string;
  readonly #publications: readonly native.Publication[];
  /** Who must not get all of them. */
  readonly #senders: ReadonlySet<string> | undefined;
  #plain: Uint8Array | undefined;
  #v1: Uint8Array | undefined;
  #bytesMax = 0;

  constructor(groupName: string, publications: readonly native.Publication[]) {
    this.#groupName = groupName;
    this.#publications = publications;
    const excluding = publications.filter((publication) => publication.excludeSender);
    if (excluding.length > 0) this.#senders = new Set(excluding.map((publication) => publication.sender));
  }

  /** The most publications that a member gets. */
  get size(): number {
    return this.#publications.length;
  }

  /** The most bytes that a member was given. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Whether the member gets fewer than the others, by `framesWithout`. */
  excludes(member: Member): boolean {
    return this.#senders?.has(member.id) === true;
  }

  /** The frames of all publications. */
  frames(mode: ClientMode): Uint8Array {
    if (mode === 'plain') {
      this.#plain ??= this.#encode(this.#publications, mode);
      return this.#plain;
    }
    this.#v1 ??= this.#encode(this.#publications, mode);
    return this.#v1;
  }

  /** The frames that a sender gets which is excluded from some of its own publications, and how many they are. */
  framesWithout(member: Member): { readonly frames: Uint8Array; readonly count: number } {
    const kept = this.#publications.filter(
      (publication) => !(publication.excludeSender && publication.sender === member.id),
    );
    return { frames: this.#encode(kept, member.mode), count: kept.length };
  }

  #encode(publications: readonly native.Publication[], mode: ClientMode): Uint8Array {
    const frames = textFrames(this.#payloadsOf(publications, mode));
    this.#bytesMax = Math.max(this.#bytesMax, frames.length);
    return frames;
  }

  #payloadsOf(publications: readonly native.Publication[], mode: ClientMode): readonly Uint8Array[] {
    if (mode === 'plain') return publications.map((publication) => publication.payload);
    const groupJson = JSON.stringify(this.#groupName);
    return publications.map((publication) => Buffer.from(messageJson(groupJson, publication)));
  }
}
