import type { Socket } from 'node:net';
import { FrameDecoder, HEARTBEAT_FRAME, type ReceiveFrame } from '@groupcast/protocol';
import type { LinkReceiver } from './receiver.ts';

/**
 * Limit for the work of one link in one event-loop turn, in bytes read or delivered: some hundred
 * microseconds. The rest waits for the next turn, so that no peer blocks the event loop for long.
 */
const TURN_WORK_BYTES_MAX = 1024 * 1024;

/** Reads frames from the chunks of a socket, and limits the work per event-loop turn. */
export class FrameReader {
  readonly #socket: Socket;
  readonly #receiver: LinkReceiver;
  readonly #decoder: FrameDecoder;
  readonly #onEnd: (error?: Error) => void;
  readonly #onFrame: ReceiveFrame = (bytes, start, end) => this.#receiveFrame(bytes, start, end);
  #isClosed = false;
  #turnWork = 0;
  #isTurnScheduled = false;
  /** Bytes that were read, and are left for the next turn. */
  #rest: Uint8Array | undefined;
  #isPaused = false;
  #hasPeerEnded = false;
  #frames = 0;

  /** `onEnd` is called after the peer's last frame, or with an error after an invalid one. */
  constructor(socket: Socket, receiver: LinkReceiver, frameBytesMax: number, onEnd: (error?: Error) => void) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#decoder = new FrameDecoder(frameBytesMax);
    this.#onEnd = onEnd;
  }

  /** Frames received so far, including heartbeats. */
  get frames(): number {
    return this.#frames;
  }

  get hasPartialFrame(): boolean {
    return this.#decoder.pendingBytes > 0;
  }

  set frameBytesMax(frameBytesMax: number) {
    this.#decoder.frameBytesMax = frameBytesMax;
  }

  /**
   * Delivers no more frames until `resume`. The peer's data waits in the kernel, then at the peer.
   */
  pause(): void {
    this.#isPaused = true;
    if (!this.#isClosed) this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#isClosed) return;
    if (this.#rest === undefined) this.#readOn();
    else this.#scheduleTurn();
  }

  read(chunk: Uint8Array): void {
    this.#scheduleTurn();
    this.#receive(chunk);
  }

  /** Handles the end of the peer's data. Frames before it may take further turns. */
  peerEnded(): void {
    this.#hasPeerEnded = true;
    if (this.#rest === undefined && !this.#isPaused) this.#onEnd();
  }

  /** Discards the rest. */
  close(): void {
    this.#isClosed = true;
    this.#rest = undefined;
  }

  /** Begins a turn with the rest of the one before. */
  beginTurn(): void {
    this.#isTurnScheduled = false;
    this.#turnWork = 0;
    const rest = this.#rest;
    if (rest === undefined || this.#isPaused || this.#isClosed) return;
    this.#rest = undefined;
    this.#receive(rest);
    if (this.#rest !== undefined) this.#scheduleTurn();
    else if (!this.#isPaused) this.#readOn();
  }

  #receive(chunk: Uint8Array): void {
    try {
      const read = this.#receiveFrames(chunk);
      if (read < chunk.length || this.#turnWork >= TURN_WORK_BYTES_MAX) this.#hold(chunk.subarray(read));
    } catch (error) {
      this.#onEnd(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #receiveFrames(chunk: Uint8Array): number {
    try {
      return this.#decoder.cut(chunk, this.#onFrame);
    } finally {
      // Also after invalid data: the frames before it count.
      this.#turnWork += this.#receiver.receivedAll?.() ?? 0;
    }
  }

  /** Returns whether to go on. */
  #receiveFrame(bytes: Uint8Array, start: number, end: number): boolean {
    this.#frames += 1;
    const isHeartbeat = end - start === HEARTBEAT_FRAME.length;
    if (!isHeartbeat && !this.#isClosed) {
      this.#turnWork += this.#receiver.receiveSpan(bytes, start, end);
    }
    return this.#turnWork < TURN_WORK_BYTES_MAX && !this.#isPaused;
  }

  #hold(rest: Uint8Array): void {
    if (this.#isClosed) return;
    this.#rest = rest;
    this.#socket.pause();
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    setImmediate(beginTurn, this);
  }

  #readOn(): void {
    if (this.#hasPeerEnded) this.#onEnd();
    else this.#socket.resume();
  }
}

// One function for all readers: a closure per turn would be garbage per turn.
function beginTurn(reader: FrameReader): void {
  reader.beginTurn();
}
