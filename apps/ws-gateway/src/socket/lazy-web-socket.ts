import type { Socket } from 'node:net';
import { CLOSE_CODES, type CloseReason } from '@groupcast/protocol';
import { type RawData, WebSocket } from 'ws';
import { payloadsOf } from './outbound-frame.ts';

// The only file that uses ws below its public interface. It creates a WebSocket without its parser
// and its sender, which cost an idle connection as much memory as all the rest, and adds them
// later. Ws itself attaches a socket by `setSocket` after the upgrade, which does nothing else. In
// a version of ws without `setSocket`, a WebSocket has its socket from the upgrade on, which
// `hasSocket` tells.

type SetSocket = (this: WebSocket, socket: Socket, head: Buffer, options: object) => void;

const NO_BYTES = Buffer.alloc(0);

/** State of the sender of ws in which it writes immediately. */
const SENDER_IDLE = 0;

/** Reasons by the codes with which ws itself closes. */
const REASONS: ReadonlyMap<number, CloseReason> = new Map(
  (['protocol_error', 'invalid_utf8', 'policy', 'message_too_big'] as const).map((reason) => [
    CLOSE_CODES[reason].code,
    reason,
  ]),
);

/** Receiver of the events of a WebSocket. */
export interface WebSocketReceiver {
  /** `bytes` is the length of the message as UTF-8. */
  receive(text: string, bytes: number): void;
  receiveBinary(): void;
  /** A ping or a pong. */
  receiveControl(): void;
  /** A close frame will be sent: for a protocol violation, or, without a reason, as a reply. */
  closing(reason: CloseReason | undefined): void;
  /** The socket is closed. */
  closed(code: number): void;
}

/** WebSocket that gets its socket by `takeOver`, not by the upgrade. */
export class LazyWebSocket extends WebSocket {
  receiver: WebSocketReceiver | undefined;
  /** Bytes received after the upgrade request, while there is no socket. */
  head: Buffer | undefined;

  /** Replaces the method that ws calls at the end of an upgrade. */
  setSocket(_socket: Socket, head: Buffer): void {
    this.head = head;
  }

  /** Creates one without an upgrade. `options` are those of the WebSocket server. */
  static create(options: object): LazyWebSocket {
    return Reflect.construct(LazyWebSocket, [null, undefined, options]);
  }

  get hasSocket(): boolean {
    return isObject(Reflect.get(this, '_socket'));
  }

  /** Gives the WebSocket its socket, which it reads from now on. */
  takeOver(socket: Socket, options: object): void {
    setSocket.call(this, socket, NO_BYTES, options);
  }

  listen(receiver: WebSocketReceiver): void {
    this.receiver = receiver;
    this.on('message', receive);
    this.on('ping', receiveControl);
    this.on('pong', receiveControl);
    this.on('close', closed);
    // Invalid frames, which `close` has handled. An error without a listener ends the process.
    this.on('error', ignore);
  }

  /**
   * Closes the WebSocket. Ws calls this, too: with a code alone after an invalid frame, otherwise
   * to reply to a close frame. The receiver may send its last frames before the close frame.
   */
  override close(code?: number, words?: string | Buffer): void {
    if (code === undefined || words !== undefined) {
      this.receiver?.closing(undefined);
      super.close(code, words);
      return;
    }
    const reason = REASONS.get(code) ?? 'protocol_error';
    this.receiver?.closing(reason);
    super.close(code, CLOSE_CODES[reason].reason);
  }

  /**
   * Returns whether frames may bypass ws. Ws writes each of its own frames whole, in one turn, and
   * none is pending in its sender, because no extension is negotiated.
   */
  canBypass(socket: Socket): boolean {
    const sender: unknown = Reflect.get(this, '_sender');
    if (this.extensions !== '' || !isObject(sender)) return false;
    const queue: unknown = Reflect.get(sender, '_queue');
    return (
      Reflect.get(this, '_socket') === socket &&
      Reflect.get(sender, '_socket') === socket &&
      Reflect.get(sender, '_state') === SENDER_IDLE &&
      Array.isArray(queue) &&
      queue.length === 0
    );
  }

  /** Sends text frames through ws: slower, and always possible. */
  sendFrames(frames: Uint8Array): void {
    for (const payload of payloadsOf(frames)) this.send(payload, { binary: false });
  }
}

const setSocket: SetSocket = Reflect.get(WebSocket.prototype, 'setSocket');

function receive(this: WebSocket, data: RawData, isBinary: boolean): void {
  const { receiver } = this as LazyWebSocket;
  // Ws delivers a Buffer by default.
  if (isBinary) receiver?.receiveBinary();
  else receiver?.receive(String(data), (data as Buffer).length);
}

function receiveControl(this: WebSocket): void {
  (this as LazyWebSocket).receiver?.receiveControl();
}

function closed(this: WebSocket, code: number): void {
  (this as LazyWebSocket).receiver?.closed(code);
}

function ignore(): void {}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
