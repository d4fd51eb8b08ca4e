/** Frames of one run. A longer one would hold the event loop before its cost is known. */
const RUN_FRAMES_MAX = 64;

const NO_BYTES = new Uint8Array(0);

/** PUBLISH frames side by side in the bytes read, which are published together. */
export class PublishRun {
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  #count = 0;

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a frame. Returns false if it does not continue the run, or the run is full. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#count === 0) {
      this.#bytes = bytes;
      this.#start = start;
    } else if (this.#count === RUN_FRAMES_MAX || bytes !== this.#bytes || start !== this.#end) return false;
    this.#end = end;
    this.#count += 1;
    return true;
  }

  clear(): void {
    this.#bytes = NO_BYTES;
    this.#count = 0;
  }
}
