import type { Socket } from 'node:net';
import { FrameDecoder, HEARTBEAT_FRAME, ProtocolError, type TakeFrame } from '@groupcast/protocol';
import { LinkSocket } from '../socket/link-socket.ts';
import { completeLinkOptions, HEARTBEATS_MISSED_MAX, type LinkOptions } from './options.ts';
import { RecallableBuffer } from './recallable-buffer.ts';
import { FrameByFrame, type LinkReceiver, type SpanReceiver } from './receiver.ts';
import { SendBuffer } from './send-buffer.ts';

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

/**
 * Work that one link may make in one turn of the event loop, in bytes read or handed out: some hundred microseconds. What is left waits for the next turn,
 * so that nobody holds the loop for long, however much comes.
 */
const TURN_WORK_BYTES_MAX = 1024 * 1024;

/** Part of the soft limit that a peer for which more waits must take within its time. */
const PACE_SHARE = 1 / 8;

/** What a link that holds back gives to the kernel at a time, in bytes: what waits behind it can still be recalled. */
const HELD_BACK_WRITE_BYTES = 64 * 1024;

/**
 * One long-lived TCP peer: frames in, frames out.
 *
 *     open -> closing (what is queued leaves, what comes is discarded) -> closed
 *
 * What is sent in one turn of the event loop leaves in one write at its end, and what is worked on in one turn is bounded. What waits is bounded: a peer that does not
 * read is closed, never waited for.
 */
export class Link {
  readonly #socket: Socket;
  readonly #bytes: LinkSocket;
  readonly #receiver: SpanReceiver;
  readonly #options: LinkOptions;
  readonly #decoder: FrameDecoder;
  readonly #queue = new SendBuffer();
  #recallable: RecallableBuffer | undefined;
  #isWritingHeldBack = false;
  readonly #ticker: NodeJS.Timeout;
  readonly #takeFrame: TakeFrame = (bytes, start, end) => this.#receiveFrame(bytes, start, end);
  #state: 'open' | 'closing' | 'closed' = 'open';
  #end: LinkEnd = 'peer_closed';
  #error: Error | undefined;
  #flushScheduled = false;
  #turnWork = 0;
  #turnScheduled = false;
  // What the turn's work has left over: read, and not worked on yet. Undefined where nothing is held back.
  #rest: Uint8Array | undefined;
  #isPaused = false;
  #hasPeerSaidAll = false;
  #heartbeatMs = Number.POSITIVE_INFINITY;
  #closeTimer: NodeJS.Timeout | undefined;
  // In ticks: since something came, since something was sent, since a frame began, since the queue went above its soft limit.
  #silentTicks = 0;
  #unsentTicks = 0;
  #frameTicks = 0;
  #softTicks = 0;
  /** Bytes that the peer had taken when those began. */
  #softTaken = 0;
  /** Of the longest message that is longer than all that may wait, while it may still wait. */
  #longBytes = 0;
  #bytesReceived = 0;
  #bytesSent = 0;

  /** Takes over a connected socket, whose errors and end are the link's from here on. Throws OptionError `bad_option`, and leaves the socket. */
  constructor(socket: Socket, receiver: LinkReceiver | SpanReceiver, options: Partial<LinkOptions> = {}) {
    this.#socket = socket;
    this.#receiver = 'receiveSpan' in receiver ? receiver : new FrameByFrame(receiver);
    this.#options = completeLinkOptions(options);
    this.#decoder = new FrameDecoder(this.#options.frameBytesMax);
    this.#bytes = new LinkSocket(socket, this.#options.fastPaths, (chunk) => this.#read(chunk));
    this.#ticker = setInterval(() => this.#tick(), this.#options.tickMs);
    socket.setNoDelay(true);
    // For peers without heartbeats the kernel's keep-alive is what finds a host that is gone.
    socket.setKeepAlive(true, 60_000);
    socket.on('error', (error) => {
      this.#error ??= error;
      if (this.#state === 'open') this.#end = 'socket_error';
    });
    // Or Node would end the socket when the peer has, and answers to what waits here could not leave.
    socket.allowHalfOpen = true;
    socket.on('end', () => this.#peerSaidAll());
    socket.on('close', () => this.#closed());
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state;
  }

  /** Bytes that wait here, in Node and in libuv; not those in the kernel. */
  get bufferedBytes(): number {
    return this.#queue.bytes + (this.#recallable?.bytes ?? 0) + this.#bytes.waiting;
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

  /** Hands on nothing until `resume`: what the peer sends waits in the kernel, and at last in the peer. */
  pause(): void {
    this.#isPaused = true;
    if (this.#state === 'open') this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#state !== 'open') return;
    if (this.#rest === undefined) this.#readOn();
    else this.#scheduleTurn();
  }

  /**
   * From now on frames that the kernel does not take stay here, and can be recalled: for a peer that must not be sent what it no longer wants. To be called
   * before anything is sent.
   */
  allowRecall(): void {
    this.#recallable ??= new RecallableBuffer();
  }

  /** Takes back what was sent under a key and has not left. Answers how often something was. Only on a link that holds back. */
  recall(key: string): number {
    return this.#recallable?.recall(key) ?? 0;
  }

  /** Queues whole frames; they leave at the end of the turn. Once the link is closing they are dropped. `key`: what they can be recalled by. */
  send(frames: Uint8Array, key = ''): void {
    if (this.#state !== 'open') return;
    // What waits already is what counts, but for one message that is longer than the limit.
    const { bufferBytesMax } = this.#options;
    if (this.bufferedBytes - this.#longBytes > bufferBytesMax) {
      this.destroy('slow');
      return;
    }
    if (frames.length > bufferBytesMax) this.#longBytes = Math.max(this.#longBytes, frames.length);
    if (this.#recallable === undefined) this.#queue.push(frames);
    else this.#recallable.push(frames, key);
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
    if (this.#recallable !== undefined) {
      this.#flushHeldBack(this.#recallable);
      return;
    }
    const bytes = this.#queue.bytes;
    if (bytes === 0 || this.#socket.destroyed) return;
    this.#bytesSent += bytes;
    this.#unsentTicks = 0;
    this.#bytes.write(this.#queue.take());
  }

  #flushHeldBack(queue: RecallableBuffer): void {
    const isOpen = this.#state === 'open';
    if (queue.bytes === 0 || this.#socket.destroyed || (isOpen && this.#isWritingHeldBack)) return;
    const before = queue.bytes;
    // What is left when the link closes leaves with it: nobody can recall it any more.
    const frames = queue.take(isOpen ? HELD_BACK_WRITE_BYTES : before);
    this.#bytesSent += before - queue.bytes;
    this.#unsentTicks = 0;
    this.#isWritingHeldBack = true;
    this.#bytes.writeThrough(frames, () => {
      this.#isWritingHeldBack = false;
      this.flush();
    });
  }

  #read(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#bytesReceived += chunk.length;
    this.#silentTicks = 0;
    this.#scheduleTurn();
    this.#receive(chunk);
  }

  #receive(chunk: Uint8Array): void {
    try {
      const read = this.#receiveFrames(chunk);
      if (this.#decoder.pendingBytes === 0) this.#frameTicks = 0;
      if (read < chunk.length || this.#turnWork >= TURN_WORK_BYTES_MAX) this.#hold(chunk.subarray(read));
    } catch (error) {
      const known = error instanceof ProtocolError;
      this.close(known ? 'protocol_error' : 'internal_error', asError(error));
    }
  }

  #receiveFrames(chunk: Uint8Array): number {
    try {
      return this.#decoder.cut(chunk, this.#takeFrame);
    } finally {
      // Also where the stream cannot be read any further: what came before that counts.
      this.#turnWork += this.#receiver.receivedAll();
    }
  }

  /** Whether to go on. */
  #receiveFrame(bytes: Uint8Array, start: number, end: number): boolean {
    this.#frameTicks = 0;
    const isHeartbeat = end - start === HEARTBEAT_FRAME.length;
    if (!isHeartbeat && this.#state === 'open')
      this.#turnWork += this.#receiver.receiveSpan(bytes, start, end);
    return this.#turnWork < TURN_WORK_BYTES_MAX && !this.#isPaused;
  }

  #hold(rest: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#rest = rest;
    this.#socket.pause();
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    setImmediate(beginTurn, this);
  }

  /** Everything that came in the turn has been seen; what was held back comes first in the next one. */
  beginTurn(): void {
    this.#turnScheduled = false;
    this.#turnWork = 0;
    const rest = this.#rest;
    if (rest === undefined || this.#isPaused || this.#state !== 'open') return;
    this.#rest = undefined;
    this.#receive(rest);
    if (this.#rest !== undefined) this.#scheduleTurn();
    else if (!this.#isPaused) this.#readOn();
  }

  /** All that was read is worked on. */
  #readOn(): void {
    if (this.#hasPeerSaidAll) this.close('peer_closed');
    else this.#socket.resume();
  }

  /** What it said may take some turns still. */
  #peerSaidAll(): void {
    this.#hasPeerSaidAll = true;
    if (this.#rest === undefined && !this.#isPaused) this.close('peer_closed');
  }

  #tick(): void {
    if (this.#state !== 'open') return;
    const { tickMs, frameMs, bufferSoftMs } = this.#options;
    const silenceMs = HEARTBEATS_MISSED_MAX * this.#heartbeatMs;
    // Whom nobody listens to cannot be blamed for being silent.
    const heard = this.#socket.isPaused() ? 0 : 1;
    this.#silentTicks += heard;
    this.#unsentTicks += 1;
    this.#frameTicks = this.#decoder.pendingBytes === 0 ? 0 : this.#frameTicks + heard;
    this.#checkPace();
    if (this.#softTicks * tickMs >= bufferSoftMs) this.destroy('slow');
    else if (this.#frameTicks * tickMs > frameMs) this.destroy('stalled');
    else if (this.#silentTicks * tickMs > silenceMs) this.destroy('silent');
    else if (this.#unsentTicks * tickMs >= this.#heartbeatMs) this.send(HEARTBEAT_FRAME);
  }

  /** Counts ticks in which much waits and the peer takes little of it. */
  #checkPace(): void {
    const { bufferBytesMax, bufferBytesSoft } = this.#options;
    const { bufferedBytes } = this;
    if (bufferedBytes <= bufferBytesMax) this.#longBytes = 0;
    const taken = this.#bytes.taken ?? this.#bytesSent - this.#bytes.waiting;
    const keepsUp =
      bufferedBytes <= bufferBytesSoft || taken - this.#softTaken >= bufferBytesSoft * PACE_SHARE;
    this.#softTicks = keepsUp ? 0 : this.#softTicks + 1;
    if (keepsUp) this.#softTaken = taken;
  }

  #beginEnd(end: LinkEnd, error: Error | undefined): void {
    this.#state = 'closing';
    this.#end = end;
    this.#error ??= error;
    this.#rest = undefined;
    clearInterval(this.#ticker);
    // What still comes is discarded; a paused socket would never see the peer's end.
    this.#socket.resume();
    this.#receiver.ending?.(end, this.#error);
  }

  #closed(): void {
    this.#state = 'closed';
    clearInterval(this.#ticker);
    clearTimeout(this.#closeTimer);
    this.#queue.take();
    this.#recallable?.take(this.#recallable.bytes);
    this.#receiver.closed(this.#end, this.#error);
  }
}

// One function for all links: a closure for each flush would be garbage for each turn.
function flush(link: Link): void {
  link.flush();
}

function beginTurn(link: Link): void {
  link.beginTurn();
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
