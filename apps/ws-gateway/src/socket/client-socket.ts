import type { Socket } from 'node:net';
import {
  handleOf,
  type TcpHandle,
  takenBytesOf,
  type WriteOwner,
  writeDirectly,
} from '@groupcast/stream-handle';
import { WebSocket } from 'ws';
import { InboundFrameReader } from './inbound-frame.ts';
import { LazyWebSocket, type WebSocketReceiver } from './lazy-web-socket.ts';
import { disown, own, type SocketOwner } from './socket-owner.ts';

/**
 * The beginning of a frame that is kept until the rest comes, in bytes, once: a frame that comes in more than two pieces is for ws, which
 * counts them.
 */
const HELD_BYTES_MAX = 16 * 1024;

/** A ping without words (RFC 6455, section 5.5.2). */
const PING_FRAME = Uint8Array.of(0x89, 0);

/** The code of a WebSocket that ended without a close frame (RFC 6455, section 7.1.5). */
const NO_CLOSE_FRAME = 1006;

const reader = new InboundFrameReader();

/** What the sockets of one gateway share. */
export interface SocketSettings {
  /** A message of a client, in bytes. */
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
 * While it is ordinary, whole texts and pongs are read where the network put them, and most of what makes a WebSocket of ws is not even
 * there. Ws takes over, for good and with all that is unread, when anything else comes, and when the WebSocket is to be closed.
 */
export class ClientSocket implements SocketOwner, WriteOwner {
  readonly #socket: Socket;
  readonly #settings: SocketSettings;
  #receiver: WebSocketReceiver | undefined;
  #ws: LazyWebSocket | undefined;
  /** Whether frames may be written to the socket: ws would write nothing else. */
  #passesWs: boolean;
  /** Where they go past the stream, too, if they may. */
  readonly #handle: TcpHandle | undefined;
  /** It is ordinary and open, as far as is known, and nothing of it waits in this process. */
  #isClear = true;
  /** The client has said that it sends nothing more. */
  #hasEnded = false;
  /** The beginning of a frame. */
  #held: Buffer | undefined;
  /** Bytes that were written past the stream and wait in libuv. */
  #waitingBytes = 0;

  /** Takes the socket of a WebSocket, and, where ws has made the upgrade, that. Nothing is read before `attach`. */
  constructor(socket: Socket, settings: SocketSettings, ws?: LazyWebSocket) {
    this.#socket = socket;
    this.#settings = settings;
    this.#passesWs = settings.fastPaths;
    const isDirect = settings.fastPaths && settings.directSockets;
    this.#handle = isDirect ? handleOf(socket) : undefined;
    if (ws === undefined) return;
    if (ws.hasSocket || !settings.fastPaths) {
      this.#ws = ws;
      this.#isClear = false;
    }
    if (ws.head !== undefined && ws.head.length > 0) socket.unshift(ws.head);
  }

  /** Lets the receiver have what comes from now on. */
  attach(receiver: WebSocketReceiver): void {
    this.#receiver = receiver;
    if (this.#ws === undefined) this.#begin();
    else this.#letWsHave(this.#ws);
  }

  /** Of the peer, which may be a proxy. */
  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  /** Bytes that wait in this process for the client to read. */
  get bufferedBytes(): number {
    if (this.#isClear) return 0;
    const queuedBytes = this.#passesWs ? this.#socket.writableLength : (this.#ws?.bufferedAmount ?? 0);
    return this.#waitingBytes + queuedBytes;
  }

  /** Bytes that were ever written to the socket, those that wait among them. */
  get writtenBytes(): number {
    return this.#socket.bytesWritten;
  }

  /** Bytes of these that the network has taken, as far as can be seen. */
  get sentBytes(): number {
    return takenBytesOf(this.#socket) ?? this.writtenBytes - this.bufferedBytes;
  }

  /** Sends whole text frames. Says whether they were sent: not so once the WebSocket is closing, so that no data follows a close frame. */
  write(frames: Uint8Array): boolean {
    return (this.#isClear && this.#writeDirectly(frames)) || this.#writeSlowly(frames);
  }

  ping(): void {
    if (this.#ws !== undefined) this.#ws.ping();
    else this.write(PING_FRAME);
  }

  /** Begins the closing handshake, unless the client is on its way out. */
  close(code: number, reason: string): void {
    if (this.#ws === undefined && this.#isOpen) this.#handOver();
    this.#ws?.close(code, reason);
  }

  /** Ends it without a word. */
  terminate(): void {
    if (this.#ws !== undefined) this.#ws.terminate();
    else this.#socket.destroy();
  }

  /** Called when what was written past the stream no longer waits. */
  written(bytes: number, error: Error | undefined): void {
    this.#waitingBytes -= bytes;
    if (error !== undefined) this.#socket.destroy();
  }

  /** Called with what came, while it is ordinary. */
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
    this.#hasEnded = true;
    this.#isClear = false;
    this.#socket.end();
  }

  /** Called when the socket is gone, while it is ordinary. */
  closed(): void {
    this.#isClear = false;
    this.#receiver?.closed(NO_CLOSE_FRAME);
  }

  get #isOpen(): boolean {
    if (this.#ws !== undefined) return this.#ws.readyState === WebSocket.OPEN;
    return !this.#hasEnded && !this.#socket.destroyed;
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
      // What was received may have closed it, too.
      if (this.#ws === undefined) continue;
      if (at < length) this.#socket.unshift(copyOf(chunk, at, length));
      return;
    }
  }

  #begin(): void {
    // As ws does it.
    this.#socket.setTimeout(0);
    this.#socket.setNoDelay();
    own(this.#socket, this, this.#handle);
  }

  #handOver(): void {
    this.#isClear = false;
    disown(this.#socket);
    this.#letWsHave(LazyWebSocket.create(this.#settings.webSocketOptions));
  }

  #letWsHave(ws: LazyWebSocket): void {
    this.#ws = ws;
    if (this.#receiver !== undefined) ws.listen(this.#receiver);
    if (!ws.hasSocket) ws.takeOver(this.#socket, this.#settings.webSocketOptions);
    this.#passesWs &&= ws.canBypass(this.#socket);
  }

  #writeDirectly(frames: Uint8Array): boolean {
    if (this.#handle === undefined) return false;
    const written = writeDirectly(this.#handle, frames, this);
    if (written === 'waiting') {
      this.#isClear = false;
      this.#waitingBytes = frames.length;
    }
    return written !== 'failed';
  }

  #writeSlowly(frames: Uint8Array): boolean {
    if (!this.#isOpen) return false;
    if (!this.#passesWs) {
      this.#ws?.sendFrames(frames);
      return true;
    }
    this.#isClear = false;
    if (this.bufferedBytes > 0 || !this.#writeDirectly(frames)) this.#socket.write(frames);
    // Once ws is there, something of its own may wait at any time.
    this.#isClear = this.#ws === undefined && this.bufferedBytes === 0;
    return true;
  }
}

function copyOf(chunk: Buffer, from: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - from);
  chunk.copy(copy, 0, from, end);
  return copy;
}
