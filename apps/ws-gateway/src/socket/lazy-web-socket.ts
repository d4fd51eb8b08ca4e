import type { Socket } from 'node:net';
import { CLOSE_CODES, type CloseReason } from '@groupcast/protocol';
import { type RawData, WebSocket } from 'ws';
import { payloadsOf } from './outbound-frame.ts';

// The only file that goes below the public interface of ws: it lets a WebSocket be made without its parser and its sender, which cost
// an idle connection as much memory as all the rest, and be given them later. Ws itself gives a socket to a WebSocket by `setSocket`
// after the upgrade, and nothing else happens in it.
// Where a version of ws has no `setSocket`, a WebSocket has its socket from the upgrade on, and `hasSocket` says so.

type SetSocket = (this: WebSocket, socket: Socket, head: Buffer, options: object) => void;

const NO_BYTES = Buffer.alloc(0);

/** The state in which the sender of ws writes at once. */
const SENDER_IDLE = 0;

/** The reason for each code with which ws itself closes. */
const REASONS: ReadonlyMap<number, CloseReason> = new Map(
  (['protocol_error', 'invalid_utf8', 'policy', 'message_too_big'] as const).map((reason) => [
    CLOSE_CODES[reason].code,
    reason,
  ]),
);

/** Who hears what a WebSocket has to say. */
export interface WebSocketReceiver {
  /** `bytes`: how long the message is as UTF-8. */
  receive(text: string, bytes: number): void;
  receiveBinary(): void;
  /** A ping or a pong. */
  receiveControl(): void;
  /** The close frame is about to leave: because the client broke the protocol, or, without a reason, asked for it. */
  closing(reason: CloseReason | undefined): void;
  /** The socket is gone. */
  closed(code: number): void;
}

/** A WebSocket that is given its socket by `takeOver`, and not by the upgrade. */
export class LazyWebSocket extends WebSocket {
  receiver: WebSocketReceiver | undefined;
  /** What came behind the upgrade, for whom it did not give a socket to. */
  head: Buffer | undefined;

  /** Ws calls this at the end of an upgrade. */
  setSocket(_socket: Socket, head: Buffer): void {
    this.head = head;
  }

  /** One that no upgrade has made. `options` are those of the WebSocket server. */
  static create(options: object): LazyWebSocket {
    return Reflect.construct(LazyWebSocket, [null, undefined, options]);
  }

  get hasSocket(): boolean {
    return isObject(Reflect.get(this, '_socket'));
  }

  /** Gives the WebSocket its socket: what comes from now on is its business. */
  takeOver(socket: Socket, options: object): void {
    setSocket.call(this, socket, NO_BYTES, options);
  }

  listen(receiver: WebSocketReceiver): void {
    this.receiver = receiver;
    this.on('message', receive);
    this.on('ping', receiveControl);
    this.on('pong', receiveControl);
    this.on('close', closed);
    // Broken frames. What they close with came through `close`; without a listener the process would end.
    this.on('error', ignore);
  }

  /**
   * Ws calls this too: with a code alone when a frame was broken, otherwise to answer the client's close frame. The
   * receiver hears of both, and says its last words before the close frame.
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
   * Whether whole frames may be written onto the socket past ws: it writes each of its own frames whole, in one turn, and no
   * earlier one waits in its sender, because no extension is negotiated.
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

  /** Sends whole text frames as ws does it: slower, and always right. */
  sendFrames(frames: Uint8Array): void {
    for (const payload of payloadsOf(frames)) this.send(payload, { binary: false });
  }
}

const setSocket: SetSocket = Reflect.get(WebSocket.prototype, 'setSocket');

function receive(this: WebSocket, data: RawData, isBinary: boolean): void {
  const { receiver } = this as LazyWebSocket;
  // Ws hands on a Buffer where it is not told otherwise.
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
