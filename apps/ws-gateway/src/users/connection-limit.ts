import { randomBytes } from 'node:crypto';
import { limits, type native } from '@groupcast/protocol';
import type { Counters } from '../admin/gateway-stats.ts';
import type { Identity } from '../auth/identity.ts';
import type { HubSubscriber } from '../groups/hub-port.ts';
import type { GatewayOptions } from '../options.ts';
import { type UserConnection, UserConnections, type UserConnectionsDeps } from './user-connections.ts';

/** Random bytes of the id of a worker: no two workers have the same. */
const WORKER_ID_BYTES = 9;

/** Time in which other workers answer, in milliseconds. */
const ANSWER_MS = 2_000;

type ConnectionLimitOptions = Pick<
  GatewayOptions,
  'hub' | 'wheel' | 'connectionsPerUid' | 'connectionsPerUidPolicy'
>;

/** A connection with a user. */
export interface LimitedConnection extends UserConnection {
  readonly identity: Identity | undefined;
}

/** Limits the connections of each user, over all workers of all gateways of the hub. */
export class ConnectionLimit implements HubSubscriber {
  readonly #deps: UserConnectionsDeps;
  readonly #counters: Counters;
  readonly #users = new Map<string, UserConnections>();

  constructor(options: ConnectionLimitOptions, counters: Counters) {
    const { hub, wheel, connectionsPerUid: max, connectionsPerUidPolicy: policy } = options;
    const worker = randomBytes(WORKER_ID_BYTES).toString('base64url');
    // The tick that has begun does not count.
    this.#deps = { hub, wheel, worker, max, policy, answerTicks: wheel.ticksOf(ANSWER_MS) + 1 };
    this.#counters = counters;
  }

  /** Number of users with a connection here. */
  get users(): number {
    return this.#users.size;
  }

  /**
   * Counts a connection that is about to open, and closes those here that it replaces. Returns
   * false if its user has too many here: close it then. Those of other workers count later.
   */
  add(connection: LimitedConnection): boolean {
    const channel = channelOf(connection);
    if (channel === undefined) return true;
    const known = this.#users.get(channel);
    const user = known ?? new UserConnections(channel, this.#deps);
    if (known === undefined) this.#users.set(channel, user);
    const isAdded = user.add(connection);
    if (known === undefined) this.#deps.hub.subscribe(channel, this);
    return isAdded;
  }

  /** Forgets a connection that has closed, if it was counted. */
  delete(connection: LimitedConnection): void {
    const channel = channelOf(connection);
    const user = channel === undefined ? undefined : this.#users.get(channel);
    if (channel === undefined || user === undefined) return;
    user.delete(connection);
    if (!user.isEmpty) return;
    user.end();
    this.#users.delete(channel);
    this.#deps.hub.unsubscribe(channel, this);
  }

  subscribed({ name }: native.Subject): void {
    this.#users.get(name)?.subscribed();
  }

  deliver(publication: native.Publication): void {
    const user = this.#users.get(publication.channel);
    if (user?.receive(publication) === false) this.#counters.dropped.not_json += 1;
  }

  /** Reports are not repeated: the next connection of the user is counted again. */
  lost(): void {}

  /** The client of the hub asks again, until `subscribed`. */
  rejected(): void {}
}

function channelOf({ identity }: LimitedConnection): string | undefined {
  return identity === undefined ? undefined : limits.CONNECTIONS_CHANNEL_PREFIX + identity.uid;
}
