import type { ClientEvents } from './client-events.ts';
import { type ClientState, Connector } from './connection/connector.ts';
import { Emitter } from './emitter.ts';
import { GroupcastError } from './groupcast-error.ts';
import { Group } from './groups/group.ts';
import { groupName } from './groups/group-id.ts';
import { Membership } from './groups/membership.ts';
import { completeOptions, type GroupcastClientOptions } from './options.ts';
import { Exchange } from './sending/exchange.ts';

/**
 * A client of a Groupcast gateway. It connects at once and reconnects until `close`. After a
 * reconnect it recovers its groups at their positions and repeats unanswered messages. Events and
 * rejections report what could not be recovered.
 */
export class GroupcastClient {
  readonly #events: Emitter<ClientEvents> = new Emitter();
  /**
   * Memberships of groups that the application holds, or that the exchange holds because they are
   * in use.
   */
  readonly #memberships = new Map<string, WeakRef<Membership>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (!this.#memberships.get(name)?.deref()) this.#memberships.delete(name);
  });
  readonly #exchange: Exchange;
  readonly #connector: Connector;

  /**
   * Connects to the gateway at `url`, `wss://…`. Throws a GroupcastError: `bad_option`, `bad_url`,
   * or `no_websocket` in Node before version 22 without the option `WebSocket`.
   */
  constructor(url: string, options: Partial<GroupcastClientOptions> = {}) {
    const complete = completeOptions(options);
    const exchange = new Exchange(complete, {
      events: this.#events,
      send: (command) => this.#connector.send(command),
      membership: (groupId) => this.#membership(groupId),
    });
    this.#exchange = exchange;
    this.#connector = new Connector(url, complete, {
      received: (event) => exchange.received(event),
      entered: (state, error, waitMs) => {
        if (state !== 'connecting' && state !== 'open') exchange.ended(error, state === 'closed');
        this.#events.emit('state', { state, error, waitMs });
      },
      disconnected: (end) => this.#events.emit('disconnected', end),
      failed: (error) => this.#events.emit('error', error),
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

  /** The user, from the token. `undefined` for an anonymous client, and before the welcome. */
  get uid(): string | undefined {
    return this.#exchange.uid;
  }

  /**
   * Returns a group: the same object for the same id. `123` and `'123'` are one group. Sends
   * nothing. Throws a GroupcastError `invalid_group`.
   */
  group(id: string | number): Group {
    return this.#membership(id).owner as Group;
  }

  #membership(id: string | number): Membership {
    const name = groupName(id);
    const known = this.#memberships.get(name)?.deref();
    if (known) return known;
    const membership = new Membership(name, this.#exchange);
    membership.owner = new Group(membership, this.#exchange.outbox);
    this.#memberships.set(name, new WeakRef(membership));
    this.#forgotten.register(membership, name);
    return membership;
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
