import { NO_SLAB, Slab, type Span } from './slab.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Number of slabs that the limit of history fills, unless they would be too small or too large. */
const SLABS = 256;
const SLAB_BYTES_MIN = 64 * KIB;
const SLAB_BYTES_MAX = 16 * MIB;

/** Part of a slab above which a span has a buffer of its own. The rest of a slab stays below it. */
const OWN_BUFFER_SHARE = 1 / 8;

/** Part of the bytes in use that may be free between them; above it, spans are moved together. */
const FREE_SHARE = 1 / 8;

/** Part of the bytes in use that slabs may need beside them. */
export const OVERHEAD_SHARE: number = FREE_SHARE + OWN_BUFFER_SHARE;

/**
 * Memory for many spans of any length, which is returned to the system when they are free. The
 * buffers of malloc are not: one that lives between a thousand free ones keeps all their memory.
 *
 * Spans are cut from slabs one after another, so those of one time mostly end together. A slab
 * whose spans are all free returns. Where many slabs are free in part, the emptiest is emptied:
 * its spans move. So the free part is bounded in whichever order spans end.
 */
export class Slabs {
  readonly #slabBytes: number;
  /** The slab from which spans are cut. */
  #current: Slab = NO_SLAB;
  /** All slabs with spans, but the current one. */
  readonly #full = new Set<Slab>();
  /** A slab that is empty and keeps its memory, because the next one is soon needed. */
  #spare: Slab | undefined;
  /** Slabs without memory. They are used again, because their addresses are garbage otherwise. */
  readonly #shrunk: Slab[] = [];
  /** Bytes of spans in slabs, and of the free ones between them. */
  #usedBytes = 0;
  #freeBytes = 0;

  /** `totalBytesMax` is the limit for all spans together. */
  constructor(totalBytesMax: number) {
    this.#slabBytes = Math.min(Math.max(Math.ceil(totalBytesMax / SLABS), SLAB_BYTES_MIN), SLAB_BYTES_MAX);
  }

  /** Bytes of memory in slabs, in use or not; the system provides them when they are written. */
  get bytes(): number {
    const others = (this.#current === NO_SLAB ? 0 : 1) + (this.#spare === undefined ? 0 : 1);
    return (this.#full.size + others) * this.#slabBytes;
  }

  /** Gives memory to a span that has none. */
  allocate(span: Span): void {
    const { capacity } = span;
    if (this.#isLong(capacity)) {
      // A buffer from Node's pool would keep the pool alive.
      new Slab(Buffer.allocUnsafeSlow(capacity).buffer).cut(span);
      return;
    }
    if (this.#current.room < capacity) this.#next();
    this.#current.cut(span);
    this.#usedBytes += capacity;
  }

  /** Takes the memory of a span. */
  free(span: Span): void {
    const { slab, capacity } = span;
    span.slab = NO_SLAB;
    if (this.#isLong(capacity)) return;
    slab.freeBytes += capacity;
    this.#freeBytes += capacity;
    this.#usedBytes -= capacity;
    if (slab.freeBytes === slab.cutBytes) this.#empty(slab);
    while (this.#freeBytes > Math.max(this.#usedBytes * FREE_SHARE, this.#slabBytes)) this.#moveTogether();
  }

  #isLong(capacity: number): boolean {
    return capacity > this.#slabBytes * OWN_BUFFER_SHARE;
  }

  /** Begins another slab. */
  #next(): void {
    if (this.#current !== NO_SLAB) this.#full.add(this.#current);
    const shrunk = this.#spare === undefined ? this.#shrunk.pop() : undefined;
    shrunk?.grow(this.#slabBytes);
    this.#current = this.#spare ?? shrunk ?? Slab.resizable(this.#slabBytes);
    this.#spare = undefined;
  }

  /** Moves the spans of the slab with the most free bytes to the current one. */
  #moveTogether(): void {
    let from = NO_SLAB;
    for (const slab of this.#full) if (slab.freeBytes > from.freeBytes) from = slab;
    for (const span of from.spans) {
      if (span.slab !== from) continue;
      const { at, capacity } = span;
      if (this.#current.room < capacity) this.#next();
      this.#current.cut(span);
      this.#current.bytes.set(new Uint8Array(from.bytes.buffer, at, capacity), span.at);
    }
    this.#empty(from);
  }

  /** Handles a slab without spans in use. */
  #empty(slab: Slab): void {
    this.#freeBytes -= slab.freeBytes;
    slab.clear();
    if (!this.#full.delete(slab)) return;
    if (this.#spare === undefined) this.#spare = slab;
    else if (slab.shrink()) this.#shrunk.push(slab);
  }
}
