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
    /** The end of the last connection. */
    readonly error: GroupcastError | undefined;
    /** Milliseconds until the next attempt, in the state `waiting`. */
    readonly waitMs: number | undefined;
  };
  /**
   * An error of a group, which the group emits too, or an invalid event of the gateway.
   * `unreachable` when no attempt has ever succeeded: from the fifth attempt on, with each attempt.
   */
  error: GroupcastError;
}

/**
 * A client of a Groupcast gateway. It connects at once and reconnects until `close`. After a
 * reconnect it recovers its groups at their positions and repeats unanswered messages. Events and
 * rejections report what could not be recovered.
 */
export class GroupcastClient {
  readonly #events: Emitter<ClientEvents> = new Emitter();
  /** Groups that the application holds, or that the exchange holds because they are in use. */
  readonly #groups = new Map<string, WeakRef<Group>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (!this.#groups.get(name)?.deref()) this.#groups.delete(name);
  });
  readonly #exchange: Exchange;
  readonly #connector: Connector;

  /**
   * Connects to the gateway at `url`, `wss://…`. Throws a GroupcastError: `bad_option`, `bad_url`,
   * or `no_websocket` in Node before version 22 without the option `WebSocket`.
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

  /** The end of the last connection, or the reason why the client is closed. */
  get error(): GroupcastError | undefined {
    return this.#connector.error;
  }

  /** The sender in the messages of this client. `undefined` until the first connection is open. */
  get clientId(): string | undefined {
    return this.#exchange.clientId;
  }

  /**
   * Returns a group: the same object for the same id. `123` and `'123'` are one group. Sends
   * nothing. Throws a GroupcastError `invalid_group`.
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

  /** Adds a listener. Returns a function that removes it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Adds a listener for one event. Returns a function that removes it. */
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
   * Connects at once: ends the wait for the next attempt, or replaces the connection. Groups
   * recover at their positions. Without effect when the client is closed.
   */
  reconnect(): void {
    this.#connector.reconnect();
  }

  /**
   * Closes the connection until `resume` or `reconnect`. Groups keep their positions. Messages sent
   * meanwhile wait for at most `sendTimeoutMs`. The client suspends itself while its page is in the
   * back/forward cache.
   */
  suspend(): void {
    this.#connector.suspend();
  }

  /** Connects again, and groups recover at their positions. Without effect unless suspended. */
  resume(): void {
    this.#connector.resume();
  }

  /**
   * Closes the client for good. Leaves all groups and ends their iterations. Unanswered messages
   * reject: with `outcome_unknown` if they were sent, otherwise with `not_sent`.
   */
  close(): void {
    this.#connector.close(new GroupcastError('closed', 'The client was closed.'));
  }
}
