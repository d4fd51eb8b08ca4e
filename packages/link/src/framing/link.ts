import type { Socket } from 'node:net';
import { HEARTBEAT_FRAME, ProtocolError } from '@groupcast/protocol';
import { LinkSocket } from '../socket/link-socket.ts';
import { FrameReader } from './frame-reader.ts';
import { Liveness } from './liveness.ts';
import { completeLinkOptions, type LinkOptions } from './options.ts';
import { RecallableBuffer } from './recallable-buffer.ts';
import type { LinkEnd, LinkReceiver } from './receiver.ts';
import { type LinkBuffer, SendBuffer } from './send-buffer.ts';

/**
 * One long-lived TCP peer: frames in, frames out.
 *
 *     open -> closing (buffered frames leave, received ones are discarded) -> closed
 *
 * Frames that are sent in one event-loop turn leave in one write at its end, and the work per turn
 * is limited. So is the buffer: a peer that does not read is closed, never waited for.
 */
export class Link {
  readonly #socket: Socket;
  readonly #bytes: LinkSocket;
  readonly #receiver: LinkReceiver;
  readonly #options: LinkOptions;
  readonly #reader: FrameReader;
  readonly #liveness: Liveness;
  #buffer: LinkBuffer = new SendBuffer();
  readonly #ticker: NodeJS.Timeout;
  readonly #flushNext = (): void => this.flush();
  #state: 'open' | 'closing' | 'closed' = 'open';
  #end: LinkEnd = 'peer_closed';
  #error: Error | undefined;
  #isFlushScheduled = false;
  #closeTimer: NodeJS.Timeout | undefined;
  /** Length of the longest buffered message that is above the limit of the buffer by itself. */
  #longBytes = 0;
  #bytesReceived = 0;
  #bytesSent = 0;

  /**
   * Takes over a connected socket, with its errors and its end. Throws OptionError `bad_option`,
   * and leaves the socket alone then.
   */
  constructor(socket: Socket, receiver: LinkReceiver, options: Partial<LinkOptions> = {}) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#options = completeLinkOptions(options);
    const { frameBytesMax, directSockets, tickMs } = this.#options;
    this.#reader = new FrameReader(socket, receiver, frameBytesMax, (error) => this.#readEnded(error));
    this.#liveness = new Liveness(this.#options);
    this.#bytes = new LinkSocket(socket, directSockets, (chunk) => this.#read(chunk));
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    socket.setNoDelay(true);
    // Peers without heartbeats: only the kernel's keep-alive detects a host that has gone.
    socket.setKeepAlive(true, 60_000);
    socket.on('error', (error) => {
      this.#error ??= error;
      if (this.#state === 'open') this.#end = 'socket_error';
    });
    // Otherwise Node ends the socket with the peer's end, and buffered answers could not leave.
    socket.allowHalfOpen = true;
    socket.on('end', () => this.#reader.peerEnded());
    socket.on('close', () => this.#closed());
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state;
  }

  /** Bytes that are buffered here, in Node and in libuv; not those in the kernel. */
  get bufferedBytes(): number {
    return this.#buffer.bytes + this.#bytes.bufferedBytes;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Limit for the length of further frames of the peer. */
  set frameBytesMax(frameBytesMax: number) {
    this.#reader.frameBytesMax = frameBytesMax;
  }

  /**
   * Sends something at least every `heartbeatMs` milliseconds from now on, and closes the link when
   * the peer is silent for three times as long.
   */
  startHeartbeats(heartbeatMs: number): void {
    this.#liveness.startHeartbeats(heartbeatMs);
  }

  /** Receives nothing until `resume`: the peer's data waits in the kernel, and then at the peer. */
  pause(): void {
    this.#reader.pause();
  }

  resume(): void {
    this.#reader.resume();
  }

  /**
   * Keeps frames that the kernel does not accept here, so that they can be recalled: for a peer
   * that must not get what it no longer wants. Call it before anything is sent.
   */
  allowRecall(): void {
    if (!(this.#buffer instanceof RecallableBuffer)) this.#buffer = new RecallableBuffer();
  }

  /** Removes buffered frames that were sent with this key, and returns their number. */
  recall(key: string): number {
    return this.#buffer.recall(key);
  }

  /**
   * Buffers whole frames, which leave at the end of the turn. Drops them once the link is closing.
   * `key` is for `recall`.
   */
  send(frames: Uint8Array, key = ''): void {
    if (this.#state !== 'open') return;
    // Counts only what is buffered already, without one message above the limit.
    const { bufferBytesMax } = this.#options;
    if (this.bufferedBytes - this.#longBytes > bufferBytesMax) {
      this.destroy('slow');
      return;
    }
    if (frames.length > bufferBytesMax) this.#longBytes = Math.max(this.#longBytes, frames.length);
    this.#buffer.push(frames, key);
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(flush, this);
  }

  /** Sends what is buffered, and closes. The peer has `closeMs` to accept it. */
  close(end: LinkEnd = 'closed', error?: Error): void {
    if (this.#state !== 'open') return;
    this.#beginEnd(end, error);
    this.flush();
    this.#socket.end();
    this.#closeTimer = setTimeout(() => this.#socket.destroy(), this.#options.closeMs);
  }

  /** Closes at once; buffered frames are lost. */
  destroy(end: LinkEnd = 'closed', error?: Error): void {
    if (this.#state === 'open') this.#beginEnd(end, error);
    this.#socket.destroy();
  }

  /** Writes what is buffered now, before the end of the turn. */
  flush(): void {
    this.#isFlushScheduled = false;
    if (this.#socket.destroyed) return;
    this.#bytesSent += this.#buffer.flush(this.#bytes, this.#state !== 'open', this.#flushNext);
  }

  #read(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#bytesReceived += chunk.length;
    this.#reader.read(chunk);
  }

  #readEnded(error: Error | undefined): void {
    if (error === undefined) this.close('peer_closed');
    else this.close(error instanceof ProtocolError ? 'protocol_error' : 'internal_error', error);
  }

  #tick(): void {
    if (this.#state !== 'open') return;
    const { bufferedBytes } = this;
    if (bufferedBytes <= this.#options.bufferBytesMax) this.#longBytes = 0;
    const verdict = this.#liveness.tick({
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      framesReceived: this.#reader.frames,
      hasPartialFrame: this.#reader.hasPartialFrame,
      isReading: !this.#socket.isPaused(),
      bufferedBytes,
      acceptedBytes: this.#bytes.acceptedBytes ?? this.#bytesSent - this.#bytes.bufferedBytes,
    });
    if (verdict === 'heartbeat') this.send(HEARTBEAT_FRAME);
    else if (verdict !== undefined) this.destroy(verdict);
  }

  #beginEnd(end: LinkEnd, error: Error | undefined): void {
    this.#state = 'closing';
    this.#end = end;
    this.#error ??= error;
    this.#reader.close();
    clearInterval(this.#ticker);
    // Discards what the peer still sends; a paused socket would never see the peer's end.
    this.#socket.resume();
    this.#receiver.ending?.(end, this.#error);
  }

  #closed(): void {
    this.#state = 'closed';
    // A socket that ends by an error gets here without `#beginEnd`.
    this.#reader.close();
    clearInterval(this.#ticker);
    clearTimeout(this.#closeTimer);
    this.#buffer.clear();
    this.#receiver.closed(this.#end, this.#error);
  }
}

// One function for all links: a closure per flush would be garbage per turn.
function flush(link: Link): void {
  link.flush();
}
