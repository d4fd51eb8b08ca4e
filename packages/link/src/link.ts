import type { Socket } from 'node:net';
import { FrameDecoder, HEARTBEAT_FRAME, ProtocolError } from '@groupcast/protocol';
import { HEARTBEATS_MISSED_MAX, LINK_DEFAULTS, type LinkOptions } from './options.ts';
import { SendQueue } from './send-queue.ts';

/** Why a link ended. */
export type LinkEnd =
  /** This side closed it. */
  | 'closed'
  /** The other side closed it. */
  | 'peer_closed'
  /** The network failed; the error says how. */
  | 'socket_error'
  /** The peer sent what cannot be read; the error says what. */
  | 'protocol_error'
  /** The peer reads too slowly, and its queue is full. */
  | 'slow'
  /** The peer sent nothing for too long. */
  | 'silent'
  /** A frame was begun and not finished in time. */
  | 'stalled'
  /** The receiver threw; the error is what it threw. */
  | 'internal_error';

/** Who listens to a link. */
export interface LinkReceiver {
  /** One frame, header included, never a heartbeat. Valid until the call returns, unless it is kept as a slice. */
  receive(frame: Uint8Array): void;
  /** Once, when the link is over and nothing more comes. */
  closed(end: LinkEnd, error: Error | undefined): void;
}

/** Chunks up to this many bytes together are copied into one write. */
const JOIN_BYTES_MAX = 256 * 1024;

/** In a longer batch, chunks shorter than this are copied together, and the others are handed to the kernel as they are. */
const SMALL_CHUNK_BYTES = 16 * 1024;

/**
 * One long-lived TCP peer: frames in, frames out.
 *
 *     open -> closing (what is queued leaves, what comes is discarded) -> closed
 *
 * What is sent in one turn of the event loop leaves in one write at its end. What waits is bounded: a peer that does not
 * read is closed, never waited for.
 */
export class Link {
  readonly #socket: Socket;
  readonly #receiver: LinkReceiver;
  readonly #options: LinkOptions;
  readonly #decoder: FrameDecoder;
  readonly #queue = new SendQueue();
  readonly #ticker: NodeJS.Timeout;
  readonly #takeFrame = (frame: Uint8Array): void => this.#receiveFrame(frame);
  #state: 'open' | 'closing' | 'closed' = 'open';
  #end: LinkEnd = 'peer_closed';
  #error: Error | undefined;
  #flushScheduled = false;
  #heartbeatMs = Number.POSITIVE_INFINITY;
  #closeTimer: NodeJS.Timeout | undefined;
  // In ticks: since something came, since something was sent, since a frame began, since the queue went above its soft limit.
  #silentTicks = 0;
  #unsentTicks = 0;
  #frameTicks = 0;
  #softTicks = 0;
  #bytesReceived = 0;
  #bytesSent = 0;

  /** Takes over a connected socket, whose errors and end are the link's from here on. */
  constructor(socket: Socket, receiver: LinkReceiver, options: Partial<LinkOptions> = {}) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#options = { ...LINK_DEFAULTS, ...options };
    this.#decoder = new FrameDecoder(this.#options.frameBytesMax);
    this.#ticker = setInterval(() => this.#tick(), this.#options.tickMs);
    socket.setNoDelay(true);
    // For peers without heartbeats the kernel's keep-alive is what finds a host that is gone.
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    socket.on('error', (error) => {
      this.#error ??= error;
      if (this.#state === 'open') this.#end = 'socket_error';
    });
    // Before Node's own listener, which ends the socket: the answers to a peer that said all it had to say still leave.
    socket.prependListener('end', () => this.close('peer_closed'));
    socket.on('close', () => this.#closed());
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state;
  }

  /** Bytes that wait here, in Node and in libuv; not those in the kernel. */
  get queuedBytes(): number {
    return this.#queue.bytes + this.#socket.writableLength;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** The longest frame taken from now on. */
  set frameBytesMax(frameBytesMax: number) {
    this.#decoder.frameBytesMax = frameBytesMax;
  }

  /** From now on something is sent at least every `heartbeatMs`, and three times as long a silence ends the link. */
  startHeartbeats(heartbeatMs: number): void {
    this.#heartbeatMs = heartbeatMs;
    this.#silentTicks = 0;
    this.#unsentTicks = 0;
  }

  /** Reads nothing until `resume`: what the peer sends waits in the kernel, and at last in the peer. */
  pause(): void {
    if (this.#state === 'open') this.#socket.pause();
  }

  resume(): void {
    if (this.#state === 'open') this.#socket.resume();
  }

  /** Queues whole frames; they leave at the end of the turn. Once the link is closing they are dropped. */
  send(frames: Uint8Array): void {
    if (this.#state !== 'open') return;
    // What waits already is what counts: a message longer than the bound still reaches a peer that reads.
    if (this.queuedBytes > this.#options.queueBytesMax) {
      this.destroy('slow');
      return;
    }
    this.#queue.push(frames);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(flush, this);
  }

  /** Sends what is queued, then closes. The peer has `closeMs` to take it. */
  close(end: LinkEnd = 'closed', error?: Error): void {
    if (this.#state !== 'open') return;
    this.#beginEnd(end, error);
    this.flush();
    this.#socket.end();
    this.#closeTimer = setTimeout(() => this.#socket.destroy(), this.#options.closeMs);
  }

  /** Closes at once; what is queued is lost. */
  destroy(end: LinkEnd = 'closed', error?: Error): void {
    if (this.#state === 'open') this.#beginEnd(end, error);
    this.#socket.destroy();
  }

  /** Writes what is queued now, and does not wait for the end of the turn. */
  flush(): void {
    this.#flushScheduled = false;
    const bytes = this.#queue.bytes;
    if (bytes === 0 || this.#socket.destroyed) return;
    this.#bytesSent += bytes;
    this.#unsentTicks = 0;
    const chunks = this.#queue.take();
    const [first] = chunks;
    // A slice keeps alive all that was read with it. That is no matter when it leaves at once; what has to wait is copied.
    const waits = this.#socket.writableLength > 0;
    if (chunks.length === 1 && first !== undefined && !waits) {
      this.#socket.write(first);
    } else if (bytes <= JOIN_BYTES_MAX) {
      this.#socket.write(Buffer.concat(chunks, bytes));
    } else {
      this.#socket.cork();
      for (const chunk of joinSmall(chunks)) this.#socket.write(chunk);
      this.#socket.uncork();
    }
  }

  #receive(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#bytesReceived += chunk.length;
    this.#silentTicks = 0;
    try {
      this.#decoder.push(chunk, this.#takeFrame);
      if (this.#decoder.pendingBytes === 0) this.#frameTicks = 0;
    } catch (error) {
      const known = error instanceof ProtocolError;
      this.close(known ? 'protocol_error' : 'internal_error', asError(error));
    }
  }

  #receiveFrame(frame: Uint8Array): void {
    this.#frameTicks = 0;
    const isHeartbeat = frame.length === HEARTBEAT_FRAME.length;
    if (!isHeartbeat && this.#state === 'open') this.#receiver.receive(frame);
  }

  #tick(): void {
    if (this.#state !== 'open') return;
    const { tickMs, frameMs, queueBytesSoft, queueSoftMs } = this.#options;
    const silenceMs = HEARTBEATS_MISSED_MAX * this.#heartbeatMs;
    // Whom nobody listens to cannot be blamed for being silent.
    const heard = this.#socket.isPaused() ? 0 : 1;
    this.#silentTicks += heard;
    this.#unsentTicks += 1;
    this.#frameTicks = this.#decoder.pendingBytes === 0 ? 0 : this.#frameTicks + heard;
    this.#softTicks = this.queuedBytes > queueBytesSoft ? this.#softTicks + 1 : 0;
    if (this.#softTicks * tickMs > queueSoftMs) this.destroy('slow');
    else if (this.#frameTicks * tickMs > frameMs) this.destroy('stalled');
    else if (this.#silentTicks * tickMs > silenceMs) this.destroy('silent');
    else if (this.#unsentTicks * tickMs >= this.#heartbeatMs) this.send(HEARTBEAT_FRAME);
  }

  #beginEnd(end: LinkEnd, error: Error | undefined): void {
    this.#state = 'closing';
    this.#end = end;
    this.#error ??= error;
    clearInterval(this.#ticker);
    // What still comes is discarded; a paused socket would never see the peer's end.
    this.#socket.resume();
  }

  #closed(): void {
    this.#state = 'closed';
    clearInterval(this.#ticker);
    clearTimeout(this.#closeTimer);
    this.#queue.take();
    this.#receiver.closed(this.#end, this.#error);
  }
}

// One function for all links: a closure for each flush would be garbage for each turn.
function flush(link: Link): void {
  link.flush();
}

/** The same bytes in the same order, where runs of small chunks have become one chunk each. */
function joinSmall(chunks: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (chunk.length < SMALL_CHUNK_BYTES) {
      run.push(chunk);
      continue;
    }
    if (run.length > 0) joined.push(Buffer.concat(run));
    run = [];
    joined.push(chunk);
  }
  if (run.length > 0) joined.push(Buffer.concat(run));
  return joined;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
