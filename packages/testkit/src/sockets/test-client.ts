import { type RawData, WebSocket } from 'ws';
import { EventQueue } from '../waiting/event-queue.ts';

/** A JSON object as it came. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** One message that a gateway sent. */
export class ReceivedMessage {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The message as a JSON object; `undefined` when it is not one. */
  get json(): JsonObject | undefined {
    try {
      const value: unknown = JSON.parse(this.text);
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? (value as JsonObject)
        : undefined;
    } catch {
      return undefined;
    }
  }
}

export interface TestClientOptions {
  /**
   * Subprotocols to offer: `groupcast.v1`, perhaps with a session beside it, or none for the plain
   * mode.
   */
  readonly protocol?: string | readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether pings are answered, default true. */
  readonly autoPong?: boolean;
  /** Whether the certificate of a `wss:` server is checked, default true. */
  readonly rejectUnauthorized?: boolean;
  /** Address to connect from. */
  readonly localAddress?: string;
  /** Version of IP for names, default both. */
  readonly family?: 4 | 6;
}

export interface ClientClose {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket client that keeps everything that came, in order. */
export class TestClient {
  readonly messages: EventQueue<ReceivedMessage> = new EventQueue('message');
  readonly pings: EventQueue<Buffer> = new EventQueue('ping');
  /** Code 1006 when the connection ended without a close frame. */
  readonly closed: Promise<ClientClose>;
  readonly #socket: WebSocket;

  private constructor(url: string, { protocol, ...options }: TestClientOptions) {
    this.#socket = new WebSocket(url, protocol === undefined ? [] : [protocol].flat(), options);
    this.#socket.on('message', (data: RawData) => this.messages.push(new ReceivedMessage(String(data))));
    this.#socket.on('ping', (data) => this.pings.push(data));
    // What went wrong shows in how it closed.
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    void this.closed.then(({ code, reason }) => {
      this.messages.end(`the connection was closed (${code} ${reason})`);
      this.pings.end(`the connection was closed (${code} ${reason})`);
    });
  }

  /**
   * Resolves with an open client. Rejects when the server cannot be reached, or with the HTTP
   * status of its refusal.
   */
  static open(url: string, options: TestClientOptions = {}): Promise<TestClient> {
    return new Promise((resolve, reject) => {
      const client = new TestClient(url, options);
      client.#socket.once('open', () => resolve(client));
      client.#socket.once('error', reject);
    });
  }

  /** The subprotocol that the server chose, '' for none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  sendCommand(command: object): void {
    this.sendText(JSON.stringify(command));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Takes the next message. */
  next(): Promise<ReceivedMessage> {
    return this.messages.next();
  }

  /** Takes the next message that matches; those before it are passed over. */
  nextMatching(matches: (message: ReceivedMessage) => boolean): Promise<ReceivedMessage> {
    return this.messages.next(matches);
  }

  /** Takes messages up to the reply to the command with this `id`, an ack or an error. */
  async reply(id: string | number): Promise<JsonObject> {
    const message = await this.messages.next(({ json }) => json?.['id'] === id);
    return message.json ?? {};
  }

  /** Stops reading from the network until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes as a browser does, and resolves when both sides have. */
  close(code = 1000): Promise<ClientClose> {
    this.#socket.close(code);
    return this.closed;
  }

  /** Cuts the TCP connection without a close frame. */
  terminate(): void {
    this.#socket.terminate();
  }
}
