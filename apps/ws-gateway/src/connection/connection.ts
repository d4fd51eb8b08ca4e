import { randomBytes } from 'node:crypto';
import { CLOSE_CODES, type CloseReason, ProtocolError } from '@groupcast/protocol';
import {
  type ClientCommand,
  type ClientEvent,
  CommandError,
  type CommandId,
} from '@groupcast/protocol/schema';
import type { Identity } from '../auth/identity.ts';
import { disconnectEvent, welcomeEvent } from '../client-protocols/client-events.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import type { CommandDeps } from '../commands/command-deps.ts';
import { handleCommand } from '../commands/handle-command.ts';
import type { Member } from '../groups/member.ts';
import { rejectCommand } from '../groups/reject-command.ts';
import type { GatewayOptions } from '../options.ts';
import type { ClientSocket } from '../socket/client-socket.ts';
import type { WebSocketReceiver } from '../socket/lazy-web-socket.ts';
import { NOT_WAITING, type Timed } from '../timing-wheel.ts';
import type { Backpressure, WritableConnection } from './backpressure.ts';
import { clientIdOf } from './client-id.ts';
import { ClientLimits, type ClientRates } from './client-limits.ts';
import type { ClientLog } from './client-log.ts';
import { firstHeard, type HeartbeatTicks, heartbeatVerdict } from './heartbeat.ts';
import type { RateLimit } from './rate-limit.ts';
import type { SlowClientLog } from './slow-client-log.ts';

/**
 * Random bytes of a client id without a session. A client id names a sender: it must not be
 * guessable.
 */
const RANDOM_ID_BYTES = 16;

/** Close code of a WebSocket that ended without a close frame (RFC 6455, section 7.1.5). */
const NO_CLOSE_FRAME = 1006;

/** Dependencies that all connections of a worker share. */
export interface ConnectionDeps extends CommandDeps, ClientRates {
  readonly options: GatewayOptions;
  readonly backpressure: Backpressure;
  readonly slowClientLog: SlowClientLog;
  /** Undefined without debug lines. */
  readonly clientLog: ClientLog | undefined;
  readonly heartbeat: HeartbeatTicks;
  /** Ticks after which a connection that is closing is cut. */
  readonly closeTicks: number;
  /** Connections that are not closed. Each adds and removes itself. */
  readonly connections: Set<Connection>;
  /** Called after a connection has closed. */
  connectionClosed(): void;
}

export type ConnectionState = 'authenticating' | 'open' | 'draining' | 'closed';

/**
 * The connection of a client.
 *
 *     authenticating -> open -> draining (in no group, waits for the close handshake) -> closed
 */
export class Connection implements Member, WritableConnection, Timed, WebSocketReceiver {
  readonly protocol: ClientProtocol;
  readonly memberships: string[] = [];
  identity: Identity | undefined;
  pendingCommands = 0;
  recoveryBytes: RateLimit | undefined;
  isNew = true;
  wheelSlot: number = NOT_WAITING;
  readonly openedTick: number;
  readonly #deps: ConnectionDeps;
  readonly #socket: ClientSocket;
  #state: ConnectionState = 'authenticating';
  /**
   * Reason of a close by this side. Undefined when the client or the network ends the connection.
   */
  #closeReason: CloseReason | undefined;
  #heardTick: number;
  #sentTick: number;
  #askedTick: number;
  #closeTick = 0;
  // Both are created on first use, because most connections are idle.
  #limits: ClientLimits | undefined;
  #id: string | undefined;

  /** `session` is that of the client, where its protocol has sessions. */
  constructor(
    socket: ClientSocket,
    protocol: ClientProtocol,
    session: string | undefined,
    deps: ConnectionDeps,
  ) {
    const { wheel } = deps.options;
    this.protocol = protocol;
    if (session !== undefined) this.#id = clientIdOf(session);
    this.#deps = deps;
    this.#socket = socket;
    this.openedTick = wheel.now;
    this.#heardTick = firstHeard(wheel.now, Math.random(), deps.heartbeat);
    this.#sentTick = wheel.now;
    this.#askedTick = this.#heardTick - 1;
  }

  get id(): string {
    this.#id ??= randomBytes(RANDOM_ID_BYTES).toString('base64url');
    return this.#id;
  }

  /** Returns whether this is the client id, without creating one. */
  hasId(clientId: string): boolean {
    return this.#id === clientId;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  get writtenBytes(): number {
    return this.#socket.writtenBytes;
  }

  get sentBytes(): number {
    return this.#socket.sentBytes;
  }

  /** Address of the peer, which may be a proxy. */
  get remoteAddress(): string {
    return this.#socket.remoteAddress;
  }

  /** Opens the connection. `session` is that of the constructor: it is sent, and not kept. */
  open(session: string | undefined): void {
    this.#state = 'open';
    this.#deps.connections.add(this);
    this.#deps.counters.accepted += 1;
    this.#checkHeartbeat();
    this.#deps.clientLog?.connected(this);
    if (session !== undefined) this.sendEvent(welcomeEvent(this.id, session, this.#deps.options));
    try {
      this.#deps.serverGroups.open(this, this.remoteAddress);
    } catch (error) {
      this.#deps.options.log.error({ error, clientId: this.id }, 'groupsOnConnect failed');
      this.close('internal_error');
    }
  }

  /** Receives a text message of `bytes` bytes. */
  receive(text: string, bytes: number): void {
    if (this.#state !== 'open') return;
    const { counters } = this.#deps;
    this.#heardTick = this.#deps.options.wheel.now;
    counters.received += 1;
    let command: ClientCommand | undefined;
    try {
      const verdict = this.#ownLimits.addMessage(bytes, this.#deps, performance.now());
      // Parsed even beyond the rate, because the error carries the command's id. Strikes bound the
      // cost.
      command = this.protocol.parseCommand(text);
      if (verdict !== 'ok') throw new CommandError(verdict, undefined, command.id);
      handleCommand(command, bytes, this, this.#deps);
    } catch (error) {
      this.#reject(error, error instanceof CommandError ? error.id : command?.id);
    }
    this.isNew = false;
  }

  /** Receives a binary message. No client protocol has these. */
  receiveBinary(): void {
    this.close('unsupported_data');
  }

  /** Receives a WebSocket ping or pong. */
  receiveControl(): void {
    if (this.#state !== 'open') return;
    this.#heardTick = this.#deps.options.wheel.now;
    if (this.#ownLimits.addControl(this.#deps, performance.now()) !== 'ok') this.close('policy');
  }

  sendEvent(event: ClientEvent): boolean {
    const frame = this.protocol.encodeEvent(event);
    if (frame !== undefined) this.#send(frame);
    return frame !== undefined;
  }

  deliver(frames: Uint8Array): void {
    this.#send(frames);
  }

  /**
   * Closes the connection with a close frame, after the disconnect event of protocols that have
   * one. `text` tells the client why; default: the sentence of the reason.
   */
  close(reason: CloseReason, reconnectAfterMs?: number, text: string = CLOSE_CODES[reason].reason): void {
    if (this.#state !== 'open') return;
    this.#sendGoodbye(reason, reconnectAfterMs, text);
    this.#socket.close(CLOSE_CODES[reason].code, text);
  }

  tooSlow(): void {
    if (this.isOpen) this.#deps.slowClientLog.closed(this, false);
    this.close('slow');
  }

  cut(): void {
    if (this.isOpen) this.#deps.slowClientLog.closed(this, true);
    this.#drain('slow');
    this.#socket.terminate();
  }

  /** Prepares for the close frame of a protocol error. Without `reason` the client closes. */
  closing(reason: CloseReason | undefined): void {
    if (this.#state !== 'open') return;
    if (reason === undefined) this.#drain(undefined);
    else this.#sendGoodbye(reason);
  }

  /** Receives the end of the socket. */
  closed(code: number): void {
    if (this.#state === 'closed') return;
    this.#drain(undefined);
    this.#state = 'closed';
    const { counters, connections, options, backpressure } = this.#deps;
    options.wheel.cancel(this);
    backpressure.forget(this);
    connections.delete(this);
    const end = this.#closeReason ?? (code === NO_CLOSE_FRAME ? 'lost' : 'by_client');
    counters.closed[end] += 1;
    this.#deps.clientLog?.closed(this, end, code);
    this.#deps.connectionClosed();
  }

  expired(): void {
    if (this.#state === 'open') this.#checkHeartbeat();
    else if (this.#deps.options.wheel.now >= this.#closeTick) this.#socket.terminate();
    else this.#awaitClose();
  }

  get #ownLimits(): ClientLimits {
    this.#limits ??= new ClientLimits();
    return this.#limits;
  }

  #checkHeartbeat(): void {
    const { heartbeat, options } = this.#deps;
    const { wheel } = options;
    const { ping } = this.protocol;
    // A client does not see WebSocket pings: one that sends messages gains nothing by them.
    const sent = ping === undefined ? wheel.now : this.#sentTick;
    const times = { heard: this.#heardTick, sent, asked: this.#askedTick };
    const verdict = heartbeatVerdict(wheel.now, times, heartbeat);
    if (verdict === 'no_answer') {
      this.close('no_answer');
    } else if (verdict === 'ping') {
      this.#askedTick = wheel.now;
      wheel.schedule(this, heartbeat.timeout);
      if (ping === undefined) this.#socket.ping();
      else this.#send(ping);
    } else {
      wheel.schedule(this, verdict);
    }
  }

  #reject(error: unknown, id: CommandId | undefined): void {
    const { counters, options } = this.#deps;
    if (!(error instanceof ProtocolError)) {
      options.log.error({ error, clientId: this.id }, 'a command failed');
      rejectCommand(counters, this, id, 'internal_error');
      this.close('internal_error');
      return;
    }
    const operation = error instanceof CommandError ? error.operation : undefined;
    rejectCommand(counters, this, id, error.code, error.message, operation);
    const verdict = this.#ownLimits.addStrike(error.code, options, performance.now());
    if (verdict !== 'ok') this.close(verdict);
  }

  #sendGoodbye(reason: CloseReason, reconnectAfterMs?: number, text?: string): void {
    this.#drain(reason);
    const frame = this.protocol.encodeEvent(disconnectEvent(reason, reconnectAfterMs, text));
    if (frame !== undefined) this.#write(frame);
  }

  #send(frames: Uint8Array): void {
    if (this.#state !== 'open') return;
    if (!this.#write(frames)) {
      // The network has ended the connection, and `closed` follows.
      this.#drain(undefined);
      return;
    }
    if (this.bufferedBytes > 0 && this.#deps.backpressure.wrote(this, frames) !== 'ok') this.tooSlow();
  }

  #write(frames: Uint8Array): boolean {
    const isWritten = this.#socket.write(frames);
    if (isWritten) {
      this.#deps.counters.bytesOut += frames.length;
      this.#sentTick = this.#deps.options.wheel.now;
    }
    return isWritten;
  }

  /** Removes the client from its groups, and sets the deadline for the close handshake. */
  #drain(reason: CloseReason | undefined): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#closeReason = reason;
    this.#closeTick = this.#deps.options.wheel.now + this.#deps.closeTicks;
    this.#awaitClose();
    this.#deps.groups.leaveAll(this);
    this.#deps.pageRequests.cancel(this);
    this.#deps.serverGroups.forget(this);
  }

  #awaitClose(): void {
    const { wheel } = this.#deps.options;
    wheel.schedule(this, this.#closeTick - wheel.now);
  }
}
