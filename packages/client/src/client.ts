import { type ClientState, Connector } from './connection/connector.ts';
import { Emitter } from './emitter.ts';
import { GroupcastError } from './groupcast-error.ts';
import { Group } from './groups/group.ts';
import { groupName } from './groups/group-id.ts';
import { Membership } from './groups/membership.ts';
import { completeOptions, type GroupcastClientOptions } from './options.ts';
import { Exchange } from './sending/exchange.ts';

export interface ClientEvents {
  state: {
    readonly state: ClientState;
    /** How the last connection ended, if one has. */
    readonly error: GroupcastError | undefined;
    /** For `waiting`: milliseconds until the next attempt. */
    readonly waitMs: number | undefined;
  };
  /**
   * Something that needs a look: an error of a group, which its listeners are told too; a gateway that speaks nonsense; or one that
   * no attempt has ever reached: `unreachable`, with each attempt from the fifth on.
   */
  error: GroupcastError;
}

/**
 * A client of a Groupcast gateway. Connects at once, and keeps at it until `close`. A lost connection is mended: groups are joined
 * again from where they were, and what was being sent is sent again; or somebody is told.
 */
export class GroupcastClient {
  readonly #events: Emitter<ClientEvents> = new Emitter();
  /** Groups that the application has, or that the exchange keeps because they are in use. */
  readonly #groups = new Map<string, WeakRef<Group>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (!this.#groups.get(name)?.deref()) this.#groups.delete(name);
  });
  readonly #exchange: Exchange;
  readonly #connector: Connector;

  /**
   * `url` is the gateway's, `wss://…`. Throws a GroupcastError: `no_websocket` in Node before version 22 without the option
   * `WebSocket`, `bad_option`, or `bad_url`.
   */
  constructor(url: string, options: Partial<GroupcastClientOptions> = {}) {
    const complete = completeOptions(options);
    const fail = (error: GroupcastError): void => this.#events.emit('error', error);
    const exchange = new Exchange(complete, (command) => this.#connector.send(command), fail);
    this.#exchange = exchange;
    this.#connector = new Connector(url, complete, {
      received: (event) => exchange.received(event),
      entered: (state, error, waitMs) => {
        if (state !== 'connecting' && state !== 'open') exchange.ended(error, state === 'closed');
        this.#events.emit('state', { state, error, waitMs });
        if (state === 'waiting' && error?.code === 'unreachable') fail(error);
      },
    });
  }

  get state(): ClientState {
    return this.#connector.state;
  }

  /** How the last connection ended, or why the client is closed. */
  get error(): GroupcastError | undefined {
    return this.#connector.error;
  }

  /** By which messages say that they are from this client. `undefined` until the first connection is open, and the same afterwards. */
  get clientId(): string | undefined {
    return this.#exchange.clientId;
  }

  /**
   * A group, the same object for the same id: `123` and `'123'` are one. Nothing is sent yet.
   * Throws a GroupcastError `invalid_group`.
   */
  group(id: string | number): Group {
    const name = groupName(id);
    const known = this.#groups.get(name)?.deref();
    if (known) return known;
    const group = new Group(new Membership(name, this.#exchange), this.#exchange);
    this.#groups.set(name, new WeakRef(group));
    this.#forgotten.register(group, name);
    return group;
  }

  /** Adds a listener, and returns what removes it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Adds a listener for one event, and returns what removes it. */
  once<Name extends keyof ClientEvents>(
    name: Name,
    listener: (event: ClientEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener, true);
  }

  off<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): void {
    this.#events.off(name, listener);
  }

  /**
   * Connects anew and at once: ends the wait for the next attempt, or replaces the connection. Groups go on from where they were.
   * Without effect when the client is closed.
   */
  reconnect(): void {
    this.#connector.reconnect();
  }

  /**
   * Ends the connection until `resume` or `reconnect`. Groups stay wanted and keep their positions, and what is sent meanwhile
   * waits, no longer than `sendTimeoutMs`. A page that is put into the back/forward cache is suspended by itself.
   */
  suspend(): void {
    this.#connector.suspend();
  }

  /** Connects again, and groups go on from where they were. Without effect unless suspended. */
  resume(): void {
    this.#connector.resume();
  }

  /**
   * Ends for good. All groups are left, iterations end, and what is not answered yet is rejected: `outcome_unknown` where it was
   * sent, `not_sent` where it was not.
   */
  close(): void {
    this.#connector.close(new GroupcastError('closed', 'The client was closed.'));
  }
}
