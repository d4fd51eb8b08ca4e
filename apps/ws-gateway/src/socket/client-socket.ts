import type { Socket } from 'node:net';
import {
  handleOf,
  type TcpHandle,
  takenBytesOf,
  type WriteOwner,
  writeDirectly,
} from '@groupcast/stream-handle';
import { WebSocket } from 'ws';
import { clientAddressOf } from './client-address.ts';
import { InboundFrameReader } from './inbound-frame.ts';
import { LazyWebSocket, type WebSocketReceiver } from './lazy-web-socket.ts';
import { disown, own, type SocketOwner } from './socket-owner.ts';

/**
 * Longest beginning of a frame that is kept until the rest arrives, in bytes. A frame in more than
 * two chunks goes to ws, which limits their number.
 */
const HELD_BYTES_MAX = 16 * 1024;

/** Ping without a payload (RFC 6455, section 5.5.2). */
const PING_FRAME = Uint8Array.of(0x89, 0);

/** Code of a WebSocket that ended without a close frame (RFC 6455, section 7.1.5). */
const NO_CLOSE_FRAME = 1006;

const reader = new InboundFrameReader();

type State =
  /** Ordinary, open as far as known, with nothing pending in this process. */
  | 'idle'
  /** Ordinary, and bytes may be pending in this process. */
  | 'pending'
  /** Ordinary until the client ended its side or the socket closed. */
  | 'ended'
  /** Ws has taken over. */
  | 'ws';

/** Options that all sockets of a gateway share. */
export interface SocketSettings {
  /** Longest message of a client, in bytes. */
  readonly messageBytesMax: number;
  /** Whether the socket bypasses ws while it is ordinary. */
  readonly fastPaths: boolean;
  /** Whether an ordinary socket is read and written below its stream. */
  readonly directSockets: boolean;
  /** The options of the WebSocket server. */
  readonly webSocketOptions: object;
}

/**
 * The WebSocket of one client.
 *
 *     ordinary -> with ws -> closed
 *
 * While it is ordinary, it reads whole texts and pongs in place, and has no parser and sender of
 * ws. Ws takes over for good, with all unread bytes, at any other frame and for a close.
 */
export class ClientSocket implements SocketOwner, WriteOwner {
  readonly #socket: Socket;
  readonly #settings: SocketSettings;
  #receiver: WebSocketReceiver | undefined;
  #ws: LazyWebSocket | undefined;
  /** Whether frames go to the socket and not through ws, which would write the same bytes. */
  #bypassesWs: boolean;
  /** Handle for reads and writes below the stream. */
  readonly #handle: TcpHandle | undefined;
  #state: State = 'idle';
  /** Beginning of an incomplete frame. */
  #held: Buffer | undefined;
  /** Bytes written below the stream that are pending in libuv. */
  #waitingBytes = 0;

  /** Wraps a socket, and `ws` where that made the upgrade. Reads nothing before `attach`. */
  constructor(socket: Socket, settings: SocketSettings, ws?: LazyWebSocket) {
    this.#socket = socket;
    this.#settings = settings;
    this.#bypassesWs = settings.fastPaths;
    const isDirect = settings.fastPaths && settings.directSockets;
    this.#handle = isDirect ? handleOf(socket) : undefined;
    if (ws === undefined) return;
    if (ws.hasSocket || !settings.fastPaths) {
      this.#ws = ws;
      this.#state = 'ws';
    }
    if (ws.head !== undefined && ws.head.length > 0) socket.unshift(ws.head);
  }

  /** Starts to read, for the receiver. */
  attach(receiver: WebSocketReceiver): void {
    this.#receiver = receiver;
    if (this.#ws === undefined) this.#begin();
    else this.#attachWs(this.#ws);
  }

  /** Address of the client, as a trusted proxy named it; otherwise that of the peer. */
  get remoteAddress(): string {
    return clientAddressOf(this.#socket);
  }

  /** Bytes pending in this process for the client. */
  get bufferedBytes(): number {
    if (this.#state === 'idle') return 0;
    const queuedBytes = this.#bypassesWs ? this.#socket.writableLength : (this.#ws?.bufferedAmount ?? 0);
    return this.#waitingBytes + queuedBytes;
  }

  /** Bytes written to the socket so far, including pending ones. */
  get writtenBytes(): number {
    return this.#socket.bytesWritten;
  }

  /** Bytes of these that the kernel has accepted, as far as known. */
  get sentBytes(): number {
    return takenBytesOf(this.#socket) ?? this.writtenBytes - this.bufferedBytes;
  }

  /**
   * Sends whole text frames. Returns false once it is closing: no data may follow a close frame.
   */
  write(frames: Uint8Array): boolean {
    return (this.#state === 'idle' && this.#writeDirectly(frames)) || this.#writeSlowly(frames);
  }

  ping(): void {
    if (this.#ws !== undefined) this.#ws.ping();
    else this.write(PING_FRAME);
  }

  /** Starts the closing handshake, unless the client has started or ended. */
  close(code: number, reason: string): void {
    if (this.#ws === undefined && this.#isOpen) this.#handOver();
    this.#ws?.close(code, reason);
  }

  /** Ends it without a close frame. */
  terminate(): void {
    if (this.#ws !== undefined) this.#ws.terminate();
    else this.#socket.destroy();
  }

  /** Called when bytes written below the stream are no longer pending. */
  written(bytes: number, error: Error | undefined): void {
    this.#waitingBytes -= bytes;
    if (error !== undefined) this.#socket.destroy();
  }

  /** Called with received bytes, while it is ordinary. */
  read(chunk: Buffer, length: number): true {
    const held = this.#held;
    if (held === undefined) {
      this.#readFrames(chunk, length, true);
    } else {
      this.#held = undefined;
      this.#readFrames(Buffer.concat([held, chunk.subarray(0, length)]), held.length + length, false);
    }
    return true;
  }

  /** Called when the client has closed its side without a close frame, while it is ordinary. */
  end(): void {
    this.#state = 'ended';
    this.#socket.end();
  }

  /** Called when the socket is closed, while it is ordinary. */
  closed(): void {
    this.#state = 'ended';
    this.#receiver?.closed(NO_CLOSE_FRAME);
  }

  get #isOpen(): boolean {
    if (this.#ws !== undefined) return this.#ws.readyState === WebSocket.OPEN;
    return this.#state !== 'ended' && !this.#socket.destroyed;
  }

  #readFrames(chunk: Buffer, length: number, mayHoldFirst: boolean): void {
    for (let at = 0; at < length; ) {
      const kind = reader.look(chunk, at, length, this.#settings.messageBytesMax);
      if (kind === 'partial' && (at > 0 || mayHoldFirst) && length - at <= HELD_BYTES_MAX) {
        this.#held = copyOf(chunk, at, length);
        return;
      }
      const text = kind === 'text' ? reader.text(chunk) : undefined;
      const { payloadBytes } = reader;
      if (text === undefined && kind !== 'pong') this.#handOver();
      else at = reader.end;
      if (text !== undefined) this.#receiver?.receive(text, payloadBytes);
      else if (kind === 'pong') this.#receiver?.receiveControl();
      // The receiver may have closed it, too.
      if (this.#ws === undefined) continue;
      if (at < length) this.#socket.unshift(copyOf(chunk, at, length));
      return;
    }
  }

  #begin(): void {
    // As ws does.
    this.#socket.setTimeout(0);
    this.#socket.setNoDelay();
    own(this.#socket, this, this.#handle);
  }

  #handOver(): void {
    disown(this.#socket);
    this.#attachWs(LazyWebSocket.create(this.#settings.webSocketOptions));
  }

  #attachWs(ws: LazyWebSocket): void {
    this.#ws = ws;
    this.#state = 'ws';
    if (this.#receiver !== undefined) ws.listen(this.#receiver);
    if (!ws.hasSocket) ws.takeOver(this.#socket, this.#settings.webSocketOptions);
    this.#bypassesWs &&= ws.canBypass(this.#socket);
  }

  #writeDirectly(frames: Uint8Array): boolean {
    if (this.#handle === undefined) return false;
    const written = writeDirectly(this.#handle, frames, this);
    if (written === 'waiting') {
      if (this.#state === 'idle') this.#state = 'pending';
      this.#waitingBytes = frames.length;
    }
    return written !== 'failed';
  }

  #writeSlowly(frames: Uint8Array): boolean {
    if (!this.#isOpen) return false;
    if (!this.#bypassesWs) {
      this.#ws?.sendFrames(frames);
      return true;
    }
    // Once ws has taken over, frames of its own may be pending at any time.
    const isOrdinary = this.#ws === undefined;
    if (isOrdinary) this.#state = 'pending';
    if (this.bufferedBytes > 0 || !this.#writeDirectly(frames)) this.#socket.write(frames);
    if (isOrdinary && this.bufferedBytes === 0) this.#state = 'idle';
    return true;
  }
}

function copyOf(chunk: Buffer, from: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - from);
  chunk.copy(copy, 0, from, end);
  return copy;
}
