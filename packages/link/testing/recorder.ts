import type { LinkEnd, LinkReceiver } from '../src/framing/receiver.ts';

/** A receiver that remembers, and can be waited for. */
export class Recorder implements LinkReceiver {
  readonly frames: Uint8Array[] = [];
  readonly ends: { end: LinkEnd; error: Error | undefined }[] = [];
  #onFrame = (): void => {};
  #onEnd = (): void => {};

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    this.frames.push(bytes.subarray(start, end));
    this.#onFrame();
    return end - start;
  }

  closed(end: LinkEnd, error: Error | undefined): void {
    this.ends.push({ end, error });
    this.#onEnd();
  }

  /** When so many frames have come. */
  async received(count: number): Promise<Uint8Array[]> {
    while (this.frames.length < count) {
      await new Promise<void>((resolve) => {
        this.#onFrame = resolve;
      });
    }
    return this.frames;
  }

  /** Why the link ended, when it has. */
  async end(): Promise<LinkEnd> {
    while (this.ends[0] === undefined) {
      await new Promise<void>((resolve) => {
        this.#onEnd = resolve;
      });
    }
    return this.ends[0].end;
  }
}
