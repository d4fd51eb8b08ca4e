import { createServer, type Server } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CloseReason } from '@groupcast/protocol';
import { Connection, type ConnectionState } from './connection.ts';
import type { ConnectionContext } from './connection-context.ts';
import { EvenClose } from './even-close.ts';
import { type Counters, createCounters, type GatewayStats, type HandshakeRefusal } from './gateway-stats.ts';
import { Groups } from './groups.ts';
import { Handshake, type HandshakeReceiver } from './handshake.ts';
import { createHttpAnswer, refuse } from './http-answer.ts';
import type { ClientMode } from './member.ts';
import { completeOptions, type GatewayOptions, type GatewayOptionsInput } from './options.ts';
import { Backpressure } from './policies/backpressure.ts';
import { SlowLog } from './slow-log.ts';
import type { ClientSocket } from './socket/client-socket.ts';

/** A drained client is told to come back within this many milliseconds, at a moment of its own. */
const RECONNECT_SPREAD_MS = 1_000;

/** A line about connections beyond the limit at most this often, in ticks. */
const FULL_LOG_TICKS = 10;

/** One connection, for people who look at a running gateway. */
export interface ConnectionRow {
  readonly clientId: string;
  readonly mode: ClientMode;
  readonly state: ConnectionState;
  /** Of the peer, which may be a proxy. */
  readonly address: string;
  readonly groups: number;
  readonly queuedBytes: number;
  /** In ticks of the gateway's wheel, one second unless told otherwise. */
  readonly ageTicks: number;
}

export interface DrainOptions {
  /** The connections are closed evenly over this time, in milliseconds. */
  readonly windowMs: number;
  readonly reason: CloseReason;
  /**
   * What becomes of handshakes that are under way: `refuse`, which is the default, answers them with 503; `accept` takes them, and
   * closes their connections at a random moment of what is left of the window.
   */
  readonly handshakes?: 'refuse' | 'accept';
}

/** One worker's WebSockets. */
export interface Gateway {
  /**
   * Takes connections from now on, from its own socket or from one that is bound already and shared with others. Rejects with the
   * system's error, such as `EADDRINUSE`. After a `pause` it takes them again.
   */
  listen(handle?: object): Promise<AddressInfo>;
  /** Takes no connections until the next `listen`, and leaves those that come to others who share the socket. */
  pause(): void;
  stats(): GatewayStats;
  connections(): readonly ConnectionRow[];
  /** Takes no new connections from now on, and closes none. Handshakes under way may still finish. */
  stopListening(): void;
  /** Stops listening first, then closes all connections; resolves when they are gone. */
  drain(options: DrainOptions): Promise<void>;
  /** Drains without a window, and ends the subscriptions at the hub; resolves when nothing is left. */
  close(): Promise<void>;
}

/** Makes a gateway, which takes connections once `listen` was called. Throws a TypeError for an origin that is none. */
export function createGateway(input: GatewayOptionsInput): Gateway {
  return new WebSocketGateway(input);
}

class WebSocketGateway implements Gateway, HandshakeReceiver {
  readonly #options: GatewayOptions;
  readonly #ownsWheel: boolean;
  readonly #counters: Counters = createCounters();
  readonly #groups: Groups;
  readonly #backpressure: Backpressure;
  readonly #slowLog: SlowLog;
  readonly #connections = new Set<Connection>();
  readonly #context: ConnectionContext;
  readonly #handshake: Handshake;
  readonly #server: Server;
  #drain: EvenClose<Connection> | undefined;
  #closing: Promise<void> | undefined;
  #portClosed: Promise<void> | undefined;
  #handshakeTimer: NodeJS.Timeout | undefined;
  #isPaused = false;
  #whenGone: (() => void)[] = [];
  #fullLoggedTick = Number.NEGATIVE_INFINITY;
  /** Open ones, those of handshakes and pages among them. */
  #sockets = 0;
  readonly #socketClosed = (): void => {
    this.#sockets -= 1;
    this.#checkGone();
  };

  constructor(input: GatewayOptionsInput) {
    const options = completeOptions(input);
    this.#options = options;
    this.#ownsWheel = input.wheel === undefined;
    this.#groups = new Groups(options, this.#counters);
    this.#backpressure = new Backpressure(options, options.wheel);
    this.#slowLog = new SlowLog(options.log);
    this.#context = this.#createContext();
    this.#handshake = new Handshake(options, this);
    this.#server = this.#createServer();
    if (this.#ownsWheel) options.wheel.start();
  }

  listen(handle?: object): Promise<AddressInfo> {
    const { host, port } = this.#options;
    this.#isPaused = false;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(handle ?? { host, port }, () => {
        this.#server.removeListener('error', reject);
        // With each start it would put off its look at the deadlines of handshakes. Once is enough: a pause does not end that.
        this.#server.removeAllListeners('listening');
        const address = this.#server.address();
        if (address !== null && typeof address === 'object') resolve(address);
        else reject(new Error('The gateway was closed before it listened.'));
      });
    });
  }

  pause(): void {
    if (!this.#server.listening) return;
    this.#isPaused = true;
    // Not the HTTP server's own, which also ends the connections that have not asked for anything yet.
    NetServer.prototype.close.call(this.#server);
  }

  stats(): GatewayStats {
    const { recoveries, dropped, refused, closed, handshakesRefused, ...counts } = this.#counters;
    return {
      connections: this.#connections.size,
      groups: this.#groups.size,
      queuedBytes: this.#backpressure.queuedBytes,
      catchingUp: this.#groups.catchingUp,
      ...counts,
      recoveries: { ...recoveries },
      dropped: { ...dropped },
      refused: { ...refused },
      closed: { ...closed },
      handshakesRefused: { ...handshakesRefused },
    };
  }

  connections(): readonly ConnectionRow[] {
    const { now } = this.#options.wheel;
    return Array.from(this.#connections, (connection) => ({
      clientId: connection.id,
      mode: connection.mode,
      state: connection.state,
      address: connection.remoteAddress,
      groups: connection.memberships.length,
      queuedBytes: connection.queuedBytes,
      ageTicks: now - connection.openedTick,
    }));
  }

  stopListening(): void {
    // Others take the connections that come now: the port is free for them, or belongs to workers that do not drain.
    if (!this.#server.listening && !this.#isPaused) return;
    this.#isPaused = false;
    this.#portClosed = new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
    // A server that is closed no longer looks after the deadlines of handshakes.
    this.#handshakeTimer = setTimeout(() => this.#server.closeAllConnections(), this.#options.handshakeMs);
  }

  async drain({ windowMs, reason, handshakes = 'refuse' }: DrainOptions): Promise<void> {
    if (handshakes === 'refuse') this.#handshake.refuseAll();
    this.stopListening();
    this.#drain ??= new EvenClose(this.#connections, windowMs, (connection) => {
      connection.close(reason, Math.floor(Math.random() * RECONNECT_SPREAD_MS));
    });
    if (!this.#isGone) await new Promise<void>((resolve) => this.#whenGone.push(resolve));
    this.#drain.hurry();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  accepted(socket: ClientSocket, session: string | undefined): void {
    const connection = new Connection(socket, session, this.#context);
    socket.attach(connection);
    connection.open(session);
    this.#drain?.add(connection);
  }

  refused(reason: HandshakeRefusal): void {
    this.#counters.handshakesRefused[reason] += 1;
  }

  async #close(): Promise<void> {
    this.#drain?.hurry();
    await this.drain({ windowMs: 0, reason: 'going_away', handshakes: 'refuse' });
    // What is left now are handshakes and pages under way.
    this.#server.closeAllConnections();
    await this.#portClosed;
    clearTimeout(this.#handshakeTimer);
    this.#groups.close();
    this.#slowLog.close();
    if (this.#ownsWheel) this.#options.wheel.stop();
  }

  #createContext(): ConnectionContext {
    const options = this.#options;
    const { wheel } = options;
    return {
      options,
      groups: this.#groups,
      hub: options.hub,
      counters: this.#counters,
      backpressure: this.#backpressure,
      slowLog: this.#slowLog,
      connections: this.#connections,
      messageRate: { perSecond: options.messagesPerSecond, burst: options.messagesBurst },
      controlRate: { perSecond: options.controlFramesPerSecond, burst: options.controlFramesBurst },
      heartbeat: {
        interval: wheel.ticksOf(options.heartbeatMs),
        timeout: wheel.ticksOf(options.heartbeatTimeoutMs),
      },
      closeTicks: wheel.ticksOf(options.closeMs),
      connectionClosed: () => this.#checkGone(),
    };
  }

  #createServer(): Server {
    const options = this.#options;
    const server = createServer(
      {
        headersTimeout: options.handshakeMs,
        requestTimeout: options.handshakeMs,
        connectionsCheckingInterval: options.handshakeCheckMs,
        maxHeaderSize: options.headerBytesMax,
      },
      createHttpAnswer(options),
    );
    server.maxHeadersCount = options.headersMax;
    server.on('request', this.#handshake.request);
    // In front of the HTTP server's own listener, which then finds the socket destroyed. `server.maxConnections` will not do: in a
    // worker, the cluster module gives what is too much back to the primary, which offers it again at once, and so for ever.
    server.prependListener('connection', (socket: Socket) => this.#admit(socket));
    server.on('upgrade', this.#handshake.upgrade);
    server.on('clientError', (error, socket) => this.#refuseHttp(error, socket));
    server.on('error', (error) => options.log.error({ error }, 'the listening socket failed'));
    return server;
  }

  #refuseHttp(error: Error, socket: Duplex): void {
    this.refused('http');
    const code = 'code' in error ? error.code : undefined;
    if (code === 'HPE_HEADER_OVERFLOW') refuse(socket, 431, 'The header is larger than the limit.');
    else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') refuse(socket, 408, 'The request took too long.');
    else refuse(socket, 400, 'This is not HTTP.');
  }

  #admit(socket: Socket): void {
    this.#options.taken(this.#sockets);
    if (this.#sockets < this.#options.connectionsMax) {
      this.#sockets += 1;
      socket.once('close', this.#socketClosed);
    } else {
      socket.destroy();
      this.#dropped();
    }
  }

  #dropped(): void {
    this.refused('full');
    const { wheel, log, connectionsMax } = this.#options;
    if (wheel.now - this.#fullLoggedTick < FULL_LOG_TICKS) return;
    this.#fullLoggedTick = wheel.now;
    const dropped = this.#counters.handshakesRefused.full;
    log.warn({ connectionsMax, dropped }, 'as many connections as are taken; further ones are dropped');
  }

  /** Whether there is no connection, and none can come any more once the port is closed. */
  get #isGone(): boolean {
    return this.#connections.size === 0 && (this.#handshake.refusesAll || this.#sockets === 0);
  }

  #checkGone(): void {
    if (this.#whenGone.length === 0 || !this.#isGone) return;
    for (const resolve of this.#whenGone.splice(0)) resolve();
  }
}
