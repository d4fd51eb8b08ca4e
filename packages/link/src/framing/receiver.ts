import type { LinkEnd } from './link.ts';

/** Who listens to a link, frame by frame. */
export interface LinkReceiver {
  /** One frame, header included, never a heartbeat. Valid until the call returns, unless it is kept as a slice. */
  receive(frame: Uint8Array): void;
  /** Once, when the link is over and nothing more comes. */
  closed(end: LinkEnd, error: Error | undefined): void;
}

/** Who listens to a link without an object for each frame. */
export interface SpanReceiver {
  /**
   * One frame, header included, never a heartbeat, from `start` to `end` in what was read. It is the receiver's to change. Answers what work that
   * made, in bytes read or handed out: when it is too much for one turn of the event loop, the rest waits for the next one.
   */
  receiveSpan(bytes: Uint8Array, start: number, end: number): number;
  /** All frames that came together have been handed on: what was gathered must be done now. Answers what work that made. */
  receivedAll(): number;
  /** Nothing is handed on any more and nothing is sent: from now on, though the socket may take a moment to close. */
  ending?(end: LinkEnd, error: Error | undefined): void;
  closed(end: LinkEnd, error: Error | undefined): void;
}

/** Hands spans on as frames. */
export class FrameByFrame implements SpanReceiver {
  readonly #receiver: LinkReceiver;

  constructor(receiver: LinkReceiver) {
    this.#receiver = receiver;
  }

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    this.#receiver.receive(bytes.subarray(start, end));
    return end - start;
  }

  receivedAll(): number {
    return 0;
  }

  closed(end: LinkEnd, error: Error | undefined): void {
    this.#receiver.closed(end, error);
  }
}
