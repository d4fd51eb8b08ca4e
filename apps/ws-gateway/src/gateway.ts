import type { AddressInfo } from 'node:net';
import { checkOption, integerOption, TIMER_MS_MAX, textOption } from '@groupcast/options';
import { type CloseReason, limits, utf8ByteLength } from '@groupcast/protocol';
import { listenAddresses } from './accept/listen-addresses.ts';
import { Listener, type ListenerEvents } from './accept/listener.ts';
import {
  type Counters,
  createCounters,
  type GatewayStats,
  type HandshakeRejection,
} from './admin/gateway-stats.ts';
import { RejectedAddresses } from './admin/rejected-addresses.ts';
import type { BanVerdict } from './auth/ban-index.ts';
import { Bans } from './auth/bans.ts';
import type { Identity } from './auth/identity.ts';
import type { AllNamespaceRules } from './auth/namespace-rules.ts';
import { Namespaces } from './auth/namespaces.ts';
import { Permissions } from './auth/permissions.ts';
import { SlicedJobs } from './auth/sliced-jobs.ts';
import { TokenChecks } from './auth/token-checks.ts';
import { Refreshes } from './commands/refresh.ts';
import { Backpressure } from './connection/backpressure.ts';
import { ClientLog } from './connection/client-log.ts';
import { Connection, type ConnectionDeps, type ConnectionState } from './connection/connection.ts';
import type { Handshake } from './connection/handshake.ts';
import { rateOf } from './connection/rate-limit.ts';
import { checkedName, ServerGroups } from './connection/server-groups.ts';
import { SlowClientLog } from './connection/slow-client-log.ts';
import { GradualClose } from './gradual-close.ts';
import { Groups } from './groups/groups.ts';
import { PageRequests } from './groups/page-requests.ts';
import { RecoveryBudget } from './groups/recovery-budget.ts';
import { completeOptions, type GatewayOptions, type GatewayOptionsInput } from './options.ts';
import type { ClientSocket } from './socket/client-socket.ts';
import { ConnectionLimit } from './users/connection-limit.ts';

/** Maximum of the random delay, in milliseconds, after which a drained client reconnects. */
const RECONNECT_SPREAD_MS = 1_000;

/** One connection in the list of a running gateway. */
export interface ConnectionRow {
  readonly clientId: string;
  /** Name of the client protocol. */
  readonly protocol: string;
  readonly state: ConnectionState;
  /** Address of the client, as a trusted proxy named it; otherwise that of the peer. */
  readonly address: string;
  readonly groups: number;
  readonly bufferedBytes: number;
  /** Age in ticks of the gateway's wheel, by default one second each. */
  readonly ageTicks: number;
}

export interface DrainOptions {
  /** Milliseconds over which the connections are closed, evenly. */
  readonly windowMs: number;
  readonly reason: CloseReason;
  /**
   * Treatment of pending handshakes. `reject`, the default, answers them with 503. `accept` closes
   * their connections at a random time in the rest of the window.
   */
  readonly handshakes?: 'reject' | 'accept';
}

/** How `disconnect` closes connections. */
export interface DisconnectOptions {
  /** Text for the client, at most 123 bytes. Default: a sentence of the protocol page. */
  readonly reason?: string | undefined;
  /** Whether the client is to connect again: close code 4003, or else 4503. */
  readonly reconnect: boolean;
}

const REASON = textOption({
  default: '',
  check: (text) => {
    const bytes = utf8ByteLength(text);
    return bytes >= 0 && bytes <= limits.CLOSE_REASON_BYTES_MAX
      ? undefined
      : `a text of at most ${limits.CLOSE_REASON_BYTES_MAX} bytes of UTF-8`;
  },
});

const WINDOW = integerOption({ default: 0, min: 0, max: TIMER_MS_MAX, unit: 'milliseconds' });

/** The WebSocket server of one worker. */
export interface Gateway {
  /**
   * Accepts connections. Resolves with the address for clients; rejects with the error of the
   * system, such as `EADDRINUSE`.
   */
  listen(): Promise<AddressInfo>;
  /**
   * Accepts connections on the address with this index in `listenAddresses`, on its own socket or
   * on a shared one that is bound already. Ends a `pause`.
   */
  listenOn(at: number, handle?: object): Promise<AddressInfo>;
  /** Accepts no connections until the next `listenOn`: other workers on the shared sockets do. */
  pause(): void;
  stats(): GatewayStats;
  connections(): readonly ConnectionRow[];
  /**
   * Joins a group for a client, also one that begins with `$`, beyond the group limit of clients,
   * and whatever its token allows, now and after a refresh. The client is told. Returns the number
   * of its connections here that were not in the group. Like the next two, it looks at every
   * connection of this worker.
   */
  joinGroup(clientId: string, groupName: string): number;
  /**
   * Removes a client from a group, and tells it the reason, a text of at most 123 bytes. The client
   * may join again. Returns the number of its connections here that were in the group.
   */
  removeFromGroup(clientId: string, groupName: string, reason: string): number;
  /** Closes the connections of a client here, and tells it why. Returns their number. */
  disconnect(clientId: string, options: DisconnectOptions): number;
  /**
   * Answers health checks on the port with 503, so that load balancers send no more clients. A
   * `drain` that rejects handshakes does the same.
   */
  failHealth(): void;
  /** Sets the answer to `GET /readyz` on the port: 200, as at the beginning, or 503. */
  setReady(isReady: boolean): void;
  /** Accepts no new connections, and closes none. Pending handshakes may finish. */
  stopListening(): void;
  /**
   * Stops listening, then closes all connections. Resolves when they are gone. A further drain can
   * only shorten the window of the first.
   */
  drain(options: DrainOptions): Promise<void>;
  /** Drains without a window, and unsubscribes all groups. Resolves when everything is closed. */
  close(): Promise<void>;
}

/**
 * Creates a gateway, which accepts connections after `listen`. Throws OptionError for invalid
 * options.
 */
export function createGateway(input: GatewayOptionsInput): Gateway {
  return new WebSocketGateway(input);
}

/** Keyed channels of the hub that a gateway with tokens has a copy of: bans and namespaces. */
const COPIES = 2;

class WebSocketGateway implements Gateway, ListenerEvents {
  readonly #options: GatewayOptions;
  readonly #ownsWheel: boolean;
  readonly #counters: Counters = createCounters();
  readonly #rejectedAddresses = new RejectedAddresses();
  /** Undefined where clients have no tokens. */
  readonly #bans: Bans<Connection> | undefined;
  readonly #namespaces: Namespaces;
  readonly #permissions: Permissions;
  /** Jobs that look at every connection. */
  readonly #jobs = new SlicedJobs();
  readonly #groups: Groups;
  readonly #backpressure: Backpressure;
  readonly #slowClientLog: SlowClientLog;
  readonly #clientLog: ClientLog | undefined;
  readonly #connections = new Set<Connection>();
  /** Undefined where clients have no tokens. */
  readonly #tokenChecks: TokenChecks | undefined;
  readonly #deps: ConnectionDeps;
  readonly #listener: Listener;
  #drain: GradualClose<Connection> | undefined;
  #closing: Promise<void> | undefined;
  #whenGone: (() => void)[] = [];

  constructor(input: GatewayOptionsInput) {
    const options = completeOptions(input);
    this.#options = options;
    this.#ownsWheel = input.wheel === undefined;
    this.#clientLog = options.log.isDebug ? new ClientLog(options.log) : undefined;
    const rules = (): AllNamespaceRules => this.#namespaces.rules;
    const hasTokens = options.verifyToken !== undefined;
    let copies = 0;
    const loaded = (): void => {
      copies += 1;
      if (copies === COPIES) options.loaded();
    };
    if (hasTokens) this.#bans = this.#createBans(loaded);
    this.#namespaces = new Namespaces({
      ...options,
      isRequired: hasTokens,
      changed: () => this.#namespacesChanged(),
      loaded,
    });
    this.#permissions = new Permissions({
      auth: hasTokens ? 'token' : 'none',
      isBanned: (uid, groupName) => this.#bans?.isBanned(uid, groupName) === true,
      namespaceAllows: (client, operation, groupName) => rules().allows(client, operation, groupName),
    });
    this.#groups = new Groups(options, this.#counters, this.#permissions, this.#clientLog, rules);
    this.#backpressure = new Backpressure(options, options.wheel);
    this.#slowClientLog = new SlowClientLog(options.log);
    const { verifyToken } = options;
    if (verifyToken !== undefined)
      this.#tokenChecks = new TokenChecks({ ...options, verifyToken }, this.#counters);
    this.#deps = this.#createDeps();
    this.#listener = new Listener(options, this, this.#tokenChecks);
    if (this.#ownsWheel) options.wheel.start();
  }

  async listen(): Promise<AddressInfo> {
    const places = listenAddresses(this.#options).map((_, at) => this.#listener.listen(at));
    const [clients] = await Promise.all(places);
    if (clients === undefined) throw new Error('A gateway has an address for clients.');
    return clients;
  }

  listenOn(at: number, handle?: object): Promise<AddressInfo> {
    return this.#listener.listen(at, handle);
  }

  pause(): void {
    this.#listener.pause();
  }

  stats(): GatewayStats {
    const { recoveries, dropped, rejected, closed, tokensRejected, handshakesRejected, ...rest } =
      this.#counters;
    const { publishDurations, deliveryDurations, ...counts } = rest;
    return {
      connections: this.#connections.size,
      authenticated: this.#authenticated(),
      groups: this.#groups.size,
      bans: this.#bans?.size ?? 0,
      users: this.#groups.users,
      bufferedBytes: this.#backpressure.bufferedBytes,
      recovering: this.#groups.recovering,
      ...counts,
      recoveries: { ...recoveries },
      dropped: { ...dropped },
      rejected: { ...rejected },
      closed: { ...closed },
      tokensRejected: { ...tokensRejected },
      handshakesRejected: { ...handshakesRejected },
      rejectedAddresses: this.#rejectedAddresses.top(),
      publishDurations: publishDurations.counts(),
      deliveryDurations: deliveryDurations.counts(),
    };
  }

  connections(): readonly ConnectionRow[] {
    const { now } = this.#options.wheel;
    return Array.from(this.#connections, (connection) => ({
      clientId: connection.id,
      protocol: connection.protocol.name,
      state: connection.state,
      address: connection.remoteAddress,
      groups: connection.memberships.length,
      bufferedBytes: connection.bufferedBytes,
      ageTicks: now - connection.openedTick,
    }));
  }

  joinGroup(clientId: string, groupName: string): number {
    const name = checkedName(groupName);
    return this.#countClient(clientId, (connection) => this.#groups.joinByServer(connection, name));
  }

  removeFromGroup(clientId: string, groupName: string, reason: string): number {
    checkOption('Gateway.removeFromGroup', 'reason', REASON, reason);
    const name = checkedName(groupName);
    return this.#countClient(clientId, (connection) => this.#groups.removeByServer(connection, name, reason));
  }

  disconnect(clientId: string, { reason, reconnect }: DisconnectOptions): number {
    if (reason !== undefined) checkOption('Gateway.disconnect', 'reason', REASON, reason);
    return this.#countClient(clientId, (connection) => {
      const { isOpen } = connection;
      connection.close(reconnect ? 'disconnected' : 'disconnected_for_good', undefined, reason);
      return isOpen;
    });
  }

  failHealth(): void {
    this.#listener.failHealth();
  }

  setReady(isReady: boolean): void {
    this.#listener.isReady = isReady;
  }

  stopListening(): void {
    this.#listener.stopListening();
  }

  async drain({ windowMs, reason, handshakes = 'reject' }: DrainOptions): Promise<void> {
    checkOption('Gateway.drain', 'windowMs', WINDOW, windowMs);
    if (handshakes === 'reject') this.#listener.rejectAll();
    this.stopListening();
    if (this.#drain !== undefined) this.#drain.shorten(windowMs);
    else {
      this.#drain = new GradualClose(this.#connections, windowMs, (connection) => {
        connection.close(reason, Math.floor(Math.random() * RECONNECT_SPREAD_MS));
      });
    }
    if (!this.#isGone) await new Promise<void>((resolve) => this.#whenGone.push(resolve));
    this.#drain.closeAll();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  accepted(socket: ClientSocket, handshake: Handshake): void {
    const connection = new Connection(socket, handshake.protocol, this.#deps);
    socket.attach(connection);
    connection.begin(handshake);
    this.#drain?.add(connection);
  }

  rejected(reason: HandshakeRejection, address: string): void {
    this.#clientLog?.rejected(reason, address);
    this.#counters.handshakesRejected[reason] += 1;
    if (address !== '') this.#rejectedAddresses.add(address);
  }

  banOf(address: string, identity: Identity): BanVerdict | undefined {
    return this.#bans?.verdict(address, identity);
  }

  socketClosed(): void {
    this.#checkGone();
  }

  async #close(): Promise<void> {
    await this.drain({ windowMs: 0, reason: 'going_away', handshakes: 'reject' });
    await this.#listener.close();
    this.#groups.close();
    this.#bans?.close();
    this.#namespaces.close();
    this.#jobs.close();
    this.#slowClientLog.close();
    if (this.#ownsWheel) this.#options.wheel.stop();
  }

  /** Returns the number of connections whose client has a token. */
  #authenticated(): number {
    if (this.#tokenChecks === undefined) return 0;
    let count = 0;
    for (const { identity } of this.#connections) if (identity !== undefined) count += 1;
    return count;
  }

  /** Returns for how many connections of a client `act` is true. */
  #countClient(clientId: string, act: (connection: Connection) => boolean): number {
    // Each act may close connections.
    const own = [...this.#connections].filter((connection) => connection.hasId(clientId));
    return own.filter(act).length;
  }

  #createBans(loaded: () => void): Bans<Connection> {
    const { hub, log } = this.#options;
    return new Bans<Connection>({
      hub,
      log,
      jobs: this.#jobs,
      connections: this.#connections,
      removeFromGroup: (connection, groupName, reason) =>
        this.#groups.removeByModerator(connection, groupName, reason),
      loaded,
    });
  }

  /** Removes members from the groups that they may no longer be in. */
  #namespacesChanged(): void {
    if (this.#permissions.areFixed) return;
    this.#jobs.add('namespaces', () => this.#removeForbidden());
  }

  *#removeForbidden(): Generator<undefined> {
    for (const connection of this.#connections) {
      this.#groups.removeForbidden(connection);
      yield;
    }
  }

  #createDeps(): ConnectionDeps {
    const options = this.#options;
    const { wheel } = options;
    return {
      options,
      permissions: this.#permissions,
      namespaces: this.#namespaces,
      groups: this.#groups,
      hub: options.hub,
      counters: this.#counters,
      log: options.log,
      bans: this.#bans,
      refreshes: this.#tokenChecks && new Refreshes({ tokenChecks: this.#tokenChecks, groups: this.#groups }),
      pageRequests: new PageRequests(options, this.#counters, this.#permissions),
      recoveryBudget: new RecoveryBudget(options),
      serverGroups: new ServerGroups(options, this.#groups, this.#permissions),
      backpressure: this.#backpressure,
      slowClientLog: this.#slowClientLog,
      clientLog: this.#clientLog,
      connections: this.#connections,
      opening: this.#opensAtOnce ? undefined : { ...options, tokenChecks: this.#tokenChecks },
      messageRate: { perSecond: options.messagesPerSecond, burst: options.messagesBurst },
      byteRate: rateOf(options.messageBytesPerSecond, options.messageBytesBurst),
      controlRate: { perSecond: options.controlFramesPerSecond, burst: options.controlFramesBurst },
      heartbeat: {
        interval: wheel.ticksOf(options.heartbeatMs),
        timeout: wheel.ticksOf(options.heartbeatTimeoutMs),
      },
      connectionLimit:
        options.connectionsPerUid === 0 ? undefined : new ConnectionLimit(options, this.#counters),
      closeTicks: wheel.ticksOf(options.closeMs),
      connectionClosed: () => this.#checkGone(),
    };
  }

  /** Whether a connection is open as soon as it is accepted. */
  get #opensAtOnce(): boolean {
    return this.#tokenChecks === undefined && this.#options.groupsOnConnect === undefined;
  }

  /** Whether there are no connections, and no pending handshake can add one. */
  get #isGone(): boolean {
    return this.#connections.size === 0 && this.#listener.isQuiet;
  }

  #checkGone(): void {
    if (this.#whenGone.length === 0 || !this.#isGone) return;
    for (const resolve of this.#whenGone.splice(0)) resolve();
  }
}
