import type { LinkEnd, LinkReceiver } from '../src/framing/receiver.ts';

/** A receiver that records frames, and can be awaited. */
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

  /** Resolves after `count` frames. */
  async received(count: number): Promise<Uint8Array[]> {
    while (this.frames.length < count) {
      await new Promise<void>((resolve) => {
        this.#onFrame = resolve;
      });
    }
    return this.frames;
  }

  /** Resolves with the reason for the end of the link. */
  async end(): Promise<LinkEnd> {
    while (this.ends[0] === undefined) {
      await new Promise<void>((resolve) => {
        this.#onEnd = resolve;
      });
    }
    return this.ends[0].end;
  }
}
