import { randomBytes } from 'node:crypto';
import { CLOSE_CODES, type CloseReason, ProtocolError } from '@groupcast/protocol';
import {
  type ClientCommand,
  type ClientEvent,
  CommandError,
  type CommandId,
} from '@groupcast/protocol/schema';
import type { Bans } from '../auth/bans.ts';
import type { Identity } from '../auth/identity.ts';
import { ackEvent, disconnectEvent, welcomeEvent } from '../client-protocols/client-events.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import type { CommandDeps } from '../commands/command-deps.ts';
import { handleCommand } from '../commands/handle-command.ts';
import type { Member } from '../groups/member.ts';
import { rejectCommand } from '../groups/reject-command.ts';
import type { GatewayOptions } from '../options.ts';
import type { ClientSocket } from '../socket/client-socket.ts';
import type { WebSocketReceiver } from '../socket/lazy-web-socket.ts';
import { NOT_WAITING, type Timed } from '../timing-wheel.ts';
import type { ConnectionLimit } from '../users/connection-limit.ts';
import type { Backpressure, WritableConnection } from './backpressure.ts';
import { clientIdOf } from './client-id.ts';
import { ClientLimits, type ClientRates, limitsOf } from './client-limits.ts';
import type { ClientLog } from './client-log.ts';
import type { Handshake } from './handshake.ts';
import { firstHeard, type HeartbeatTicks, heartbeatVerdict } from './heartbeat.ts';
import { Opening, type OpeningDeps } from './opening.ts';
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
  /** Undefined where clients have no tokens. */
  readonly bans: Bans<Connection> | undefined;
  /** Undefined where connections are open from the beginning. */
  readonly opening: OpeningDeps | undefined;
  /** Undefined where users have no limit. */
  readonly connectionLimit: ConnectionLimit | undefined;
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
 *
 * Without tokens and groups of the server it is open from the beginning.
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
  /** Receives all messages while it exists. */
  #opening: Opening | undefined;

  constructor(socket: ClientSocket, protocol: ClientProtocol, deps: ConnectionDeps) {
    const { wheel } = deps.options;
    this.protocol = protocol;
    this.#deps = deps;
    this.#socket = socket;
    this.openedTick = wheel.now;
    this.#heardTick = firstHeard(wheel.now, Math.random(), deps.heartbeat);
    this.#sentTick = wheel.now;
    this.#askedTick = this.#heardTick - 1;
  }

  /** Client id. One that is made of session and user is empty until both are known. */
  get id(): string {
    if (this.#id === undefined && this.protocol.hasSessions) return '';
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

  /** Begins after the handshake. */
  begin(handshake: Handshake): void {
    const { connections, counters, opening } = this.#deps;
    const { session } = handshake;
    connections.add(this);
    counters.accepted += 1;
    if (opening === undefined) {
      if (session !== undefined) this.#id = clientIdOf(session);
      this.open(session, undefined);
      return;
    }
    if (this.#closeIfBanned(handshake.identity)) return;
    this.#opening = new Opening(this, session, opening);
    this.#opening.begin(handshake);
  }

  /**
   * Accepts the client with its identity. Calls `done`, perhaps at once, when the positions for the
   * welcome are known.
   */
  accept(session: string | undefined, identity: Identity | undefined, done: () => void): void {
    const { bans, connectionLimit, serverGroups } = this.#deps;
    this.identity = identity;
    if (session !== undefined) this.#id = clientIdOf(session, identity?.uid);
    if (this.#closeIfBanned(identity)) return;
    if (connectionLimit?.add(this) === false) {
      this.close('too_many_connections');
      return;
    }
    bans?.identified(this);
    this.#attempt('groupsOnConnect failed', () => serverGroups.begin(this, this.remoteAddress, done));
  }

  /**
   * Opens the connection. `session` is sent, and not kept. `id` is that of the command `auth`, if
   * it had one.
   */
  open(session: string | undefined, id: CommandId | undefined): void {
    const { options, clientLog, serverGroups } = this.#deps;
    this.#state = 'open';
    clientLog?.connected(this);
    if (session !== undefined) {
      const positions = serverGroups.positionsFor(this);
      this.sendEvent(welcomeEvent(this.id, session, options, this.identity, positions));
    }
    if (id !== undefined) this.sendEvent(ackEvent(id));
    // After the welcome, because a ping may be due.
    if (this.isOpen) this.#checkTimes();
    this.#attempt('joining the groups of the server failed', () => serverGroups.welcomed(this));
  }

  /** Replaces the identity by that of a new token of the same user. */
  renew(identity: Identity): void {
    this.identity = identity;
    if (this.#closeIfBanned(identity)) return;
    this.#deps.clientLog?.refreshed(this);
    if (this.#limits !== undefined) this.#limits.rates = this.#rates;
    if (this.isOpen) this.#checkTimes();
  }

  /** Replies to a command with an error. Too many of them close the connection. */
  reject(error: unknown, id: CommandId | undefined = idOf(error)): void {
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

  /** Ends the opening. */
  opened(): void {
    this.#opening = undefined;
  }

  /** Receives a text message of `bytes` bytes. */
  receive(text: string, bytes: number): void {
    if (!this.#isLive) return;
    this.#heardTick = this.#deps.options.wheel.now;
    this.#deps.counters.received += 1;
    if (this.#opening === undefined) this.execute(text, bytes);
    else this.#receiveEarly(this.#opening, text, bytes);
  }

  /** Executes the command in a message. */
  execute(text: string, bytes: number): void {
    if (this.#state !== 'open') return;
    let command: ClientCommand | undefined;
    try {
      const verdict = this.#ownLimits.addMessage(bytes, performance.now());
      // Parsed even beyond the rate, because the error carries the command's id. Strikes bound the
      // cost.
      command = this.protocol.parseCommand(text);
      if (verdict !== 'ok') throw new CommandError(verdict, undefined, command.id);
      handleCommand(command, bytes, this, this.#deps);
    } catch (error) {
      this.reject(error, idOf(error) ?? command?.id);
    }
    this.isNew = false;
  }

  /** Receives a binary message. No client protocol has these. */
  receiveBinary(): void {
    this.close('unsupported_data');
  }

  /** Receives a WebSocket ping or pong. */
  receiveControl(): void {
    if (!this.#isLive) return;
    this.#heardTick = this.#deps.options.wheel.now;
    if (this.#ownLimits.addControl(performance.now()) !== 'ok') this.close('policy');
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
    if (!this.#isLive) return;
    this.#sendGoodbye(reason, reconnectAfterMs, text);
    this.#socket.close(CLOSE_CODES[reason].code, text);
  }

  tooSlow(): void {
    if (this.#isLive) this.#deps.slowClientLog.closed(this, false);
    this.close('slow');
  }

  cut(): void {
    if (this.#isLive) this.#deps.slowClientLog.closed(this, true);
    this.#drain('slow');
    this.#socket.terminate();
  }

  /** Prepares for the close frame of a protocol error. Without `reason` the client closes. */
  closing(reason: CloseReason | undefined): void {
    if (!this.#isLive) return;
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
    if (this.#state === 'open') this.#checkTimes();
    else if (this.#deps.options.wheel.now >= this.#closeTick) this.#socket.terminate();
    else this.#awaitClose();
  }

  get #rates(): ClientRates {
    const { options, byteRate, controlRate } = this.#deps;
    if (this.identity?.limits.messagesPerSecond === undefined) return this.#deps;
    return { messageRate: limitsOf(this.identity, options).messageRate, byteRate, controlRate };
  }

  get #ownLimits(): ClientLimits {
    this.#limits ??= new ClientLimits(this.#rates);
    return this.#limits;
  }

  /** Whether the connection is neither closing nor closed. */
  get #isLive(): boolean {
    return this.#state === 'open' || this.#state === 'authenticating';
  }

  /** Closes the connection if its address, its user or its token is banned. */
  #closeIfBanned(identity: Identity | undefined): boolean {
    const verdict = this.#deps.bans?.verdict(this.remoteAddress, identity);
    if (verdict !== undefined) this.close(verdict.close, undefined, verdict.text);
    return verdict !== undefined;
  }

  /** Closes the connection when `act` fails, which has no caller that could. */
  #attempt(failure: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#deps.options.log.error({ error, clientId: this.id }, failure);
      this.close('internal_error');
    }
  }

  #receiveEarly(opening: Opening, text: string, bytes: number): void {
    try {
      opening.receive(text, bytes);
    } catch (error) {
      this.reject(error);
    }
  }

  /** Checks the heartbeat and the expiry of the token, and sets the time of the next check. */
  #checkTimes(): void {
    const { wheel, tokenGraceMs } = this.#deps.options;
    const expiresAt = this.identity?.expiresAt;
    const lifeMs = expiresAt === undefined ? undefined : expiresAt * 1_000 + tokenGraceMs - Date.now();
    if (lifeMs !== undefined && lifeMs <= 0) {
      this.close('token_expired');
      return;
    }
    const heartbeatTicks = this.#checkHeartbeat();
    if (heartbeatTicks === undefined) return;
    wheel.schedule(
      this,
      lifeMs === undefined ? heartbeatTicks : Math.min(heartbeatTicks, wheel.ticksOf(lifeMs)),
    );
  }

  /** Returns the ticks until the next check, or `undefined` for a client that has not answered. */
  #checkHeartbeat(): number | undefined {
    const { heartbeat, options } = this.#deps;
    const { wheel } = options;
    const { ping } = this.protocol;
    // A client does not see WebSocket pings: one that sends messages gains nothing by them.
    const sent = ping === undefined ? wheel.now : this.#sentTick;
    const times = { heard: this.#heardTick, sent, asked: this.#askedTick };
    const verdict = heartbeatVerdict(wheel.now, times, heartbeat);
    if (verdict === 'no_answer') {
      this.close('no_answer');
      return undefined;
    }
    if (verdict !== 'ping') return verdict;
    this.#askedTick = wheel.now;
    if (ping === undefined) this.#socket.ping();
    else this.#send(ping);
    return this.#state === 'open' ? heartbeat.timeout : undefined;
  }

  #sendGoodbye(reason: CloseReason, reconnectAfterMs?: number, text?: string): void {
    this.#drain(reason);
    const frame = this.protocol.encodeEvent(disconnectEvent(reason, reconnectAfterMs, text));
    if (frame !== undefined) this.#write(frame);
  }

  #send(frames: Uint8Array): void {
    if (this.#state !== 'open' && this.#state !== 'authenticating') return;
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
    if (!this.#isLive) return;
    this.#opening?.end();
    this.#opening = undefined;
    this.#state = 'draining';
    this.#closeReason = reason;
    this.#closeTick = this.#deps.options.wheel.now + this.#deps.closeTicks;
    this.#awaitClose();
    this.#deps.bans?.forget(this);
    this.#deps.connectionLimit?.delete(this);
    this.#deps.groups.leaveAll(this);
    this.#deps.pageRequests.cancel(this);
    this.#deps.serverGroups.forget(this);
    this.#deps.refreshes?.forget(this);
  }

  #awaitClose(): void {
    const { wheel } = this.#deps.options;
    wheel.schedule(this, this.#closeTick - wheel.now);
  }
}

function idOf(error: unknown): CommandId | undefined {
  return error instanceof CommandError ? error.id : undefined;
}
