import { randomBytes } from 'node:crypto';
import { CLOSE_CODES, type CloseReason, ProtocolError } from '@groupcast/protocol';
import {
  type ClientCommand,
  type ClientEvent,
  CommandError,
  type CommandId,
} from '@groupcast/protocol/schema';
import { disconnectEvent, errorEvent, welcomeEvent } from '../client-protocols/client-events.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import { handleCommand } from '../commands/handle-command.ts';
import type { Group } from '../groups/group.ts';
import type { Member } from '../groups/member.ts';
import type { MemberWait } from '../groups/member-wait.ts';
import type { Questions } from '../groups/questions.ts';
import type { ClientSocket } from '../socket/client-socket.ts';
import type { WebSocketReceiver } from '../socket/lazy-web-socket.ts';
import { NOT_WAITING, type Timed } from '../timing-wheel.ts';
import type { WritableConnection } from './backpressure.ts';
import { clientIdOf } from './client-id.ts';
import type { ConnectionDeps } from './connection-deps.ts';
import { firstHeard, heartbeatVerdict } from './heartbeat.ts';
import { RateLimit } from './rate-limit.ts';
import { Strikes } from './strikes.ts';

/** A client id must not be guessable: it says who a message is from. In plain mode each connection has one of its own. */
const PLAIN_ID_BYTES = 16;

/** The code of a WebSocket that ended without a close frame (RFC 6455, section 7.1.5). */
const NO_CLOSE_FRAME = 1006;

export type ConnectionState = 'authenticating' | 'open' | 'draining' | 'closed';

/**
 * One client.
 *
 *     authenticating -> open -> draining (it is in no group, and the close handshake runs) -> closed
 *
 * `authenticating` is passed at once, until there is something to prove.
 */
export class Connection implements Member, WritableConnection, Timed, WebSocketReceiver {
  readonly protocol: ClientProtocol;
  readonly memberships: Group[] = [];
  waits: Set<MemberWait> | undefined;
  questions: Questions | undefined;
  recoveryBytes: RateLimit | undefined;
  wheelSlot: number = NOT_WAITING;
  readonly openedTick: number;
  readonly #context: ConnectionDeps;
  readonly #socket: ClientSocket;
  #state: ConnectionState = 'authenticating';
  /** Why this side ends the connection; nothing when the client or the network does. */
  #closeReason: CloseReason | undefined;
  // Times in ticks of the wheel.
  #heardTick: number;
  #toldTick: number;
  #askedTick: number;
  #closeTick = 0;
  // Each is made when it is first needed: an idle connection costs memory, and most are idle.
  #messages: RateLimit | undefined;
  #bytes: RateLimit | undefined;
  #controls: RateLimit | undefined;
  #strikes: Strikes | undefined;
  #id: string | undefined;

  /** `session` is that of the client, where its protocol has sessions. */
  constructor(
    socket: ClientSocket,
    protocol: ClientProtocol,
    session: string | undefined,
    context: ConnectionDeps,
  ) {
    const { wheel } = context.options;
    this.protocol = protocol;
    if (session !== undefined) this.#id = clientIdOf(session);
    this.#context = context;
    this.#socket = socket;
    this.openedTick = wheel.now;
    this.#heardTick = firstHeard(wheel.now, Math.random(), context.heartbeat);
    this.#toldTick = wheel.now;
    this.#askedTick = this.#heardTick - 1;
  }

  get id(): string {
    this.#id ??= randomBytes(PLAIN_ID_BYTES).toString('base64url');
    return this.#id;
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

  /** Of the peer, which may be a proxy. */
  get remoteAddress(): string {
    return this.#socket.remoteAddress;
  }

  /** Lets the client in, with the session that it was made with: it is told, and not kept. */
  open(session: string | undefined): void {
    this.#state = 'open';
    this.#context.connections.add(this);
    this.#context.counters.accepted += 1;
    this.#checkHeartbeat();
    if (session !== undefined) this.sendEvent(welcomeEvent(this.id, session, this.#context.options));
  }

  /** A text message of the client. */
  receive(text: string, bytes: number): void {
    if (this.#state !== 'open') return;
    const { counters } = this.#context;
    this.#heardTick = this.#context.options.wheel.now;
    counters.received += 1;
    let command: ClientCommand | undefined;
    try {
      const verdict = this.#rateVerdict(bytes);
      // Read even when it is refused: the refusal has to carry the command's id. Strikes bound how often that is paid for.
      command = this.protocol.parseCommand(text);
      if (verdict !== 'ok') throw new CommandError(verdict, undefined, command.id);
      handleCommand(command, bytes, this, this.#context);
    } catch (error) {
      this.#refuse(error, error instanceof CommandError ? error.id : command?.id);
    }
  }

  /** A binary message of the client: nobody speaks so here. */
  receiveBinary(): void {
    this.close('unsupported_data');
  }

  /** A WebSocket ping or pong of the client. */
  receiveControl(): void {
    if (this.#state !== 'open') return;
    const { controlRate } = this.#context;
    const nowMs = performance.now();
    this.#heardTick = this.#context.options.wheel.now;
    this.#controls ??= new RateLimit(controlRate, nowMs);
    if (this.#controls.take(controlRate, nowMs) !== 'ok') this.close('policy');
  }

  sendEvent(event: ClientEvent): boolean {
    const frame = this.protocol.encodeEvent(event);
    if (frame !== undefined) this.deliver(frame);
    return frame !== undefined;
  }

  deliver(frames: Uint8Array): void {
    if (this.#state !== 'open') return;
    if (!this.#write(frames)) {
      // The network has ended it, and the news is on its way.
      this.#drain(undefined);
      return;
    }
    if (this.bufferedBytes > 0 && this.#context.backpressure.wrote(this, frames) !== 'ok') this.tooSlow();
  }

  /** Ends the connection with a close frame, which v1 clients get in words too. */
  close(reason: CloseReason, reconnectAfterMs?: number): void {
    if (this.#state !== 'open') return;
    this.#sayGoodbye(reason, reconnectAfterMs);
    const row = CLOSE_CODES[reason];
    this.#socket.close(row.code, row.reason);
  }

  tooSlow(): void {
    if (this.isOpen) this.#context.slowLog.closed(this, false);
    this.close('slow');
  }

  cut(): void {
    if (this.isOpen) this.#context.slowLog.closed(this, true);
    this.#drain('slow');
    this.#socket.terminate();
  }

  /** The close frame is about to leave: because the client broke the protocol, or, without a reason, asked for it. */
  closing(reason: CloseReason | undefined): void {
    if (this.#state !== 'open') return;
    if (reason === undefined) this.#drain(undefined);
    else this.#sayGoodbye(reason, undefined);
  }

  /** The socket is gone. */
  closed(code: number): void {
    if (this.#state === 'closed') return;
    this.#drain(undefined);
    this.#state = 'closed';
    const { counters, connections, options, backpressure } = this.#context;
    options.wheel.cancel(this);
    backpressure.forget(this);
    connections.delete(this);
    counters.closed[this.#closeReason ?? (code === NO_CLOSE_FRAME ? 'lost' : 'by_client')] += 1;
    this.#context.connectionClosed();
  }

  /** Called by the wheel. */
  expired(): void {
    if (this.#state === 'open') this.#checkHeartbeat();
    else if (this.#context.options.wheel.now >= this.#closeTick) this.#socket.terminate();
    else this.#awaitClose();
  }

  #rateVerdict(bytes: number): 'ok' | 'rate_limited' {
    const { messageRate, byteRate } = this.#context;
    const nowMs = performance.now();
    this.#messages ??= new RateLimit(messageRate, nowMs);
    const verdict = this.#messages.take(messageRate, nowMs);
    if (verdict !== 'ok' || byteRate === undefined) return verdict;
    this.#bytes ??= new RateLimit(byteRate, nowMs);
    return this.#bytes.overdraw(byteRate, nowMs, bytes);
  }

  #checkHeartbeat(): void {
    const { heartbeat, options } = this.#context;
    const { wheel } = options;
    const { ping } = this.protocol;
    // A client does not see WebSocket pings: one that sends gains nothing by them.
    const told = ping === undefined ? wheel.now : this.#toldTick;
    const times = { heard: this.#heardTick, told, asked: this.#askedTick };
    const verdict = heartbeatVerdict(wheel.now, times, heartbeat);
    if (verdict === 'no_answer') {
      this.close('no_answer');
    } else if (verdict === 'ping') {
      this.#askedTick = wheel.now;
      wheel.schedule(this, heartbeat.timeout);
      if (ping === undefined) this.#socket.ping();
      else this.deliver(ping);
    } else {
      wheel.schedule(this, verdict);
    }
  }

  #refuse(error: unknown, id: CommandId | undefined): void {
    if (!(error instanceof ProtocolError)) {
      this.#context.options.log.error({ error, clientId: this.id }, 'a command failed');
      this.#context.counters.refused.internal_error += 1;
      this.sendEvent(errorEvent('internal_error', id));
      this.close('internal_error');
      return;
    }
    const { code } = error;
    this.#context.counters.refused[code] += 1;
    this.sendEvent(errorEvent(code, id, error.message));
    this.#strikes ??= new Strikes();
    const verdict = this.#strikes.add(code, this.#context.options, performance.now());
    if (verdict !== 'ok') this.close(verdict);
  }

  #sayGoodbye(reason: CloseReason, reconnectAfterMs: number | undefined): void {
    this.#drain(reason);
    const frame = this.protocol.encodeEvent(disconnectEvent(reason, reconnectAfterMs));
    if (frame !== undefined) this.#write(frame);
  }

  #write(frames: Uint8Array): boolean {
    const written = this.#socket.write(frames);
    if (written) {
      this.#context.counters.bytesOut += frames.length;
      this.#toldTick = this.#context.options.wheel.now;
    }
    return written;
  }

  /** From here on the client is in no group, gets nothing more, and has a deadline to be gone. */
  #drain(reason: CloseReason | undefined): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#closeReason = reason;
    this.#closeTick = this.#context.options.wheel.now + this.#context.closeTicks;
    this.#awaitClose();
    this.#context.groups.leaveAll(this);
  }

  #awaitClose(): void {
    const { wheel } = this.#context.options;
    wheel.schedule(this, this.#closeTick - wheel.now);
  }
}
