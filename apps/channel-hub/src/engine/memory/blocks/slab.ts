/** An ArrayBuffer whose memory can be returned to the system; without `resize` in old runtimes. */
interface ShrinkableBuffer extends ArrayBuffer {
  resize?(bytes: number): void;
}

/** A range of a slab. Slabs may move it, with its bytes. */
export class Span {
  readonly capacity: number;
  /** The slab with the bytes, and where they begin in it. */
  slab: Slab = NO_SLAB;
  at = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }
}

/** Memory from which spans are cut, one after another. */
export class Slab {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Spans cut since the slab was empty; those freed or moved since then name another slab. */
  spans: Span[] = [];
  /** Bytes cut, and those of them that are free again. */
  cutBytes = 0;
  freeBytes = 0;
  readonly #buffer: ShrinkableBuffer;

  constructor(buffer: ArrayBuffer) {
    this.#buffer = buffer;
    this.bytes = new Uint8Array(buffer, 0, buffer.byteLength);
    this.view = new DataView(buffer, 0, buffer.byteLength);
  }

  /**
   * Makes a slab whose memory can be returned before the garbage is collected. V8 maps it apart
   * from the heap of malloc, which keeps what is freed between other memory.
   */
  static resizable(bytes: number): Slab {
    return new Slab(Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes }]));
  }

  /** Bytes that are not cut yet. */
  get room(): number {
    return this.bytes.length - this.cutBytes;
  }

  /** Cuts a span, for which there must be room. */
  cut(span: Span): void {
    span.slab = this;
    span.at = this.cutBytes;
    this.cutBytes += span.capacity;
    this.spans.push(span);
  }

  /** Forgets all spans. */
  clear(): void {
    this.spans = [];
    this.cutBytes = 0;
    this.freeBytes = 0;
  }

  /** Returns the memory to the system, until `grow`. Returns whether that was possible. */
  shrink(): boolean {
    if (this.#buffer.resize === undefined) return false;
    this.#buffer.resize(0);
    return true;
  }

  /** Gets memory again. Its bytes are 0. */
  grow(bytes: number): void {
    this.#buffer.resize?.(bytes);
  }
}

/** The slab of spans without memory. */
export const NO_SLAB: Slab = new Slab(new ArrayBuffer(0));
