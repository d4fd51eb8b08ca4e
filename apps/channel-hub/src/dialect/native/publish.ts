/** A longer run would only hold the loop longer before anybody can look at what it cost. */
const RUN_FRAMES_MAX = 64;

const NOTHING = new Uint8Array(0);

/** PUBLISH frames that lie side by side in what was read, and are handed on together. */
export class PublishRun {
  #bytes: Uint8Array = NOTHING;
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

  /** False when the frame does not go with those that are here. */
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
    this.#bytes = NOTHING;
    this.#count = 0;
  }
}
