import { CLOSE_CODES } from '@groupcast/protocol';
import { type ClientCommand, type ClientEvent, parseClientCommand } from '@groupcast/protocol/schema';
import type { WebSocketConstructor } from '../src/index.ts';

type Listener = (event: never) => void;

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  readonly url: string;
  readonly protocols: readonly string[];
  /** Commands of the client, in order. An invalid command throws. */
  readonly sent: ClientCommand[] = [];
  /** The code with which the client closed the socket. */
  closedWith: number | undefined;
  /** Handles each command. */
  onCommand: ((command: ClientCommand) => void) | undefined;
  readonly #listeners = new Map<string, Listener[]>();

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(text: string): void {
    const command = parseClientCommand(text);
    this.sent.push(command);
    this.onCommand?.(command);
  }

  close(code = 1005): void {
    this.closedWith ??= code;
  }

  /** Returns the commands of one kind. */
  sentOf<Name extends ClientCommand['cmd']>(cmd: Name): Extract<ClientCommand, { cmd: Name }>[] {
    return this.sent.filter((command) => command.cmd === cmd) as Extract<ClientCommand, { cmd: Name }>[];
  }

  /** Delivers an event of the gateway. */
  receive(event: ClientEvent): void {
    this.receiveData(JSON.stringify(event));
  }

  receiveData(data: unknown): void {
    this.#fire('message', { data });
  }

  welcome(changes: Partial<Extract<ClientEvent, { type: 'welcome' }>> = {}): void {
    this.receive({ ...WELCOME, ...changes });
  }

  /** Acknowledges `command`, by default the last one. */
  ack(fields: Partial<Extract<ClientEvent, { type: 'ack' }>> = {}, command = this.sent.at(-1)): void {
    this.receive({ type: 'ack', id: command?.id ?? 'none', ...fields });
  }

  refuse(code: string, command = this.sent.at(-1)): void {
    this.receive({ type: 'error', id: command?.id ?? 'none', code, message: `Refused with ${code}.` });
  }

  /** Ends the connection, as the gateway or the network does. */
  end(code: number = CLOSE_CODES.restart.code): void {
    this.#fire('close', { code, reason: '' });
  }

  /** Emits an error without a close event. */
  fail(event: { readonly message?: string; readonly error?: unknown } = {}): void {
    this.#fire('error', event);
  }

  #fire(type: string, event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

export const SESSION = 'S'.repeat(43);

const WELCOME: Extract<ClientEvent, { type: 'welcome' }> = {
  type: 'welcome',
  client_id: 'me',
  session: SESSION,
  heartbeat: { interval_ms: 25_000, timeout_ms: 10_000 },
  limits: { message_bytes: 65_536, groups: 128, messages_per_second: 1_000, messages_burst: 2_000 },
};

/** Creates the WebSockets of a client, and keeps them. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: WebSocketConstructor;

  /** Calls `dialled` with each new socket, before the client has it. */
  constructor(dialled: (socket: FakeSocket) => void = () => {}) {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
        dialled(this);
      }
    };
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('The client has not connected yet.');
    return socket;
  }
}
