import { connect, type Socket } from 'node:net';

/** Longest texts with a length of 7 and of 16 bits (RFC 6455, section 5.2), in bytes. */
const SHORT_TEXT_BYTES_MAX = 125;
const TEXT_BYTES_MAX = 0xffff;

/** Address and protocol of a client: with the subprotocol, or in plain mode. */
export interface WarmUpClientOptions {
  readonly port: number;
  readonly subprotocol: string | undefined;
}

/**
 * A minimal WebSocket client that searches for words in the bytes that it receives. It has to be
 * cheap.
 */
export class WarmUpClient {
  readonly #socket: Socket;
  #unread = '';
  #isClosed = false;
  #awaited:
    | { readonly words: string; readonly resolve: () => void; readonly reject: (error: Error) => void }
    | undefined;

  constructor({ port, subprotocol }: WarmUpClientOptions) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay();
    this.#socket.on('data', (chunk) => this.#read(chunk));
    // `close` follows an error.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#isClosed = true;
      this.#awaited?.reject(new Error('The connection was closed.'));
    });
    const lines = [
      'GET / HTTP/1.1',
      'host: 127.0.0.1',
      'upgrade: websocket',
      'connection: Upgrade',
      'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      ...(subprotocol === undefined ? [] : [`sec-websocket-protocol: ${subprotocol}`]),
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /**
   * Resolves when the words were received after the last awaited ones. Rejects when the connection
   * ends first.
   */
  heard(words: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) reject(new Error('The connection is closed.'));
      this.#awaited = { words, resolve, reject };
      this.#look();
    });
  }

  /** Sends an ASCII text of at most 65,535 bytes. */
  send(text: string): void {
    if (text.length > TEXT_BYTES_MAX) throw new RangeError('The text is too long for the warm-up.');
    // A mask of zeros leaves the text as it is.
    const length =
      text.length <= SHORT_TEXT_BYTES_MAX
        ? [0x80 | text.length]
        : [0x80 | 126, text.length >>> 8, text.length & 0xff];
    const head = Buffer.from([0x81, ...length, 0, 0, 0, 0]);
    this.#socket.write(Buffer.concat([head, Buffer.from(text, 'latin1')]));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#unread += chunk.toString('latin1');
    this.#look();
  }

  #look(): void {
    if (this.#awaited === undefined) return;
    const { words, resolve } = this.#awaited;
    const at = this.#unread.indexOf(words);
    if (at < 0) return;
    this.#unread = this.#unread.slice(at + words.length);
    this.#awaited = undefined;
    resolve();
  }
}
