import { CLOSE_CODES, type CloseReason } from '@groupcast/protocol';
import { type RawData, WebSocket } from 'ws';
import type { Connection } from './connection.ts';

/** The reason for each code with which ws itself closes. */
const REASONS: ReadonlyMap<number, CloseReason> = new Map(
  (['protocol_error', 'invalid_utf8', 'policy', 'message_too_big'] as const).map((reason) => [
    CLOSE_CODES[reason].code,
    reason,
  ]),
);

/** A WebSocket that knows its connection, so that all of them share their listeners. */
export class ClientSocket extends WebSocket {
  connection: Connection | undefined;

  /** Lets the connection have what comes from now on. */
  attach(connection: Connection): void {
    this.connection = connection;
    this.on('message', receive);
    this.on('ping', receiveControl);
    this.on('pong', receiveControl);
    this.on('close', closed);
    // Broken frames. What they close with came through `close`; without a listener the process would end.
    this.on('error', ignore);
  }

  /**
   * Ws calls this too: with a code alone when a frame was broken, otherwise to answer the client's close frame. The
   * connection hears of both, and says its last words before the close frame.
   */
  override close(code?: number, words?: string | Buffer): void {
    if (code === undefined || words !== undefined) {
      this.connection?.closing(undefined);
      super.close(code, words);
      return;
    }
    const reason = REASONS.get(code) ?? 'protocol_error';
    this.connection?.closing(reason);
    super.close(code, CLOSE_CODES[reason].reason);
  }
}

function receive(this: WebSocket, data: RawData, isBinary: boolean): void {
  const { connection } = this as ClientSocket;
  if (isBinary) connection?.receiveBinary();
  else connection?.receive(String(data));
}

function receiveControl(this: WebSocket): void {
  (this as ClientSocket).connection?.receiveControl();
}

function closed(this: WebSocket, code: number): void {
  (this as ClientSocket).connection?.closed(code);
}

function ignore(): void {}
