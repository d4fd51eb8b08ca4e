import type { WebSocketConstructor } from '@groupcast/client';
import { type RawData, WebSocket } from 'ws';
import type { Position } from '../history/history-event.ts';
import type { HistoryLog } from '../history/history-log.ts';
import { readMessage } from './message-text.ts';

/** Data of one member's connections, with their starts and ends. */
export class WireTap {
  readonly member: string;
  readonly #log: HistoryLog;
  readonly #epochs: Map<string, string> = new Map();
  readonly #received: Map<string, number> = new Map();
  readonly #lastIds: Map<string, string> = new Map();
  /** The open sockets, for faults. */
  readonly sockets: Set<WebSocket> = new Set();
  /** Times of opening, by performance.now(). */
  readonly openedAt: number[] = [];
  /** Close codes with their times; 1006 is an end without a close frame. */
  readonly closes: { readonly at: number; readonly code: number }[] = [];

  constructor(member: string, log: HistoryLog) {
    this.member = member;
    this.#log = log;
  }

  open(socket: WebSocket): void {
    this.sockets.add(socket);
    this.openedAt.push(performance.now());
    this.#epochs.clear();
  }

  close(socket: WebSocket, code: number): void {
    // A failed attempt is not a closed connection.
    if (!this.sockets.delete(socket)) return;
    this.closes.push({ at: performance.now(), code });
    if (this.sockets.size === 0) this.#epochs.clear();
  }

  /** Groups joined on the current connection. */
  get groups(): ReadonlySet<string> {
    return new Set(this.#epochs.keys());
  }

  /** Messages received, of one group. */
  received(group: string): number {
    return this.#received.get(group) ?? 0;
  }

  lastId(group: string): string | undefined {
    return this.#lastIds.get(group);
  }

  joined(group: string, position: Position, since: Position | undefined, answer: Answer): void {
    this.#epochs.set(group, position.epoch);
    const { recovered, reason, count } = answer;
    this.#log.add({
      type: 'join',
      member: this.member,
      group,
      position,
      ...(since && { since }),
      ...(recovered !== undefined && { recovered }),
      ...(reason !== undefined && { reason }),
      ...(count !== undefined && { count }),
    });
  }

  left(group: string): void {
    this.#epochs.delete(group);
    this.#log.add({ type: 'leave', member: this.member, group });
  }

  gap(group: string, position: Position, reason: string): void {
    this.#epochs.set(group, position.epoch);
    this.#log.add({ type: 'gap', member: this.member, group, position, reason });
  }

  /** A message has no epoch: it belongs to the one that was announced last. */
  message(group: string, offset: number, text: unknown): void {
    const { id, intact } = readMessage(text);
    const position = { epoch: this.#epochs.get(group) ?? 'none', offset };
    this.#log.add({ type: 'recv', member: this.member, group, position, id, intact });
    this.#received.set(group, this.received(group) + 1);
    this.#lastIds.set(group, id);
  }

  ephemeralMessage(group: string, text: unknown): void {
    this.#log.add({ type: 'recv-ephemeral', member: this.member, group, ...readMessage(text) });
    this.#received.set(group, this.received(group) + 1);
  }
}

interface Answer {
  readonly recovered?: boolean;
  readonly reason?: string;
  readonly count?: number;
}

interface WireEvent extends Answer, Partial<Position> {
  readonly type: string;
  readonly id?: number;
  readonly group_id?: string;
  readonly message?: unknown;
  /** Whether the event is one of the channel of the user, and not of a group. */
  readonly user?: boolean;
  /** Of `welcome`: the groups that the server joins. */
  readonly joined?: readonly JoinedGroup[];
}

interface JoinedGroup extends Position {
  readonly group_id: string;
}

interface WireCommand {
  readonly cmd: string;
  readonly id?: number;
  readonly group_id?: string;
  readonly since?: Position;
  /** Of `resume`: the positions that the client has, by group. */
  readonly positions?: Readonly<Record<string, Position>>;
}

/**
 * A WebSocket for the SDK that logs its data. The SDK's events would not do: it drops duplicates,
 * and would hide that a gateway sent them. `url` returns the address of each connection. Messages
 * that `loses` selects are not logged.
 */
export function tappedWebSocket(
  tap: WireTap,
  url: () => string,
  loses: () => boolean = () => false,
): WebSocketConstructor {
  return class TappedWebSocket extends WebSocket {
    readonly #conversation = new Conversation(tap);
    #isDone = false;

    constructor(_url: string, protocols: string[]) {
      super(url(), protocols);
      this.on('open', () => tap.open(this));
      this.on('close', (code: number) => tap.close(this, code));
      this.on('message', (data: RawData) => {
        // After a close the SDK ignores messages, and will ask for them again.
        if (this.#isDone) return;
        const event = JSON.parse(String(data)) as WireEvent;
        if (event.type !== 'message' || !loses()) this.#conversation.receive(event);
      });
    }

    override send(data: string): void {
      this.#conversation.send(JSON.parse(data) as WireCommand);
      super.send(data);
    }

    override close(code?: number, reason?: string | Buffer): void {
      this.#isDone = true;
      super.close(code, reason);
    }
  };
}

/** Requests and answers on one connection. */
class Conversation {
  readonly #tap: WireTap;
  /** The last request by group: an answer to an earlier one is late, and the SDK ignores it. */
  readonly #asked: Map<string, WireCommand> = new Map();
  readonly #groupById: Map<number, string> = new Map();
  readonly #joined: Set<string> = new Set();
  /** Groups of `welcome` that are not logged yet. */
  readonly #welcomed: JoinedGroup[] = [];
  /** Positions of `resume`, by group. */
  readonly #resumed: Map<string, Position> = new Map();

  constructor(tap: WireTap) {
    this.#tap = tap;
  }

  send(command: WireCommand): void {
    const { cmd, id, group_id: group } = command;
    for (const [name, position] of Object.entries(command.positions ?? {})) this.#resumed.set(name, position);
    if (id === undefined || group === undefined || (cmd !== 'add_group' && cmd !== 'leave_group')) return;
    this.#asked.set(group, command);
    this.#groupById.set(id, group);
    this.#joined.delete(group);
  }

  receive(event: WireEvent): void {
    this.#logWelcomed();
    // The load sends nothing to users.
    if (event.user === true) return;
    const { type, id, group_id: group = '', epoch = '', offset = 0, reason = '' } = event;
    // While a join or a leave is pending the SDK accepts no messages, except of a group that was
    // never requested.
    const isIgnored = this.#asked.has(group) && !this.#joined.has(group);
    if (type === 'message' && event.offset === undefined && !isIgnored)
      this.#tap.ephemeralMessage(group, event.message);
    else if (type === 'message' && !isIgnored) this.#tap.message(group, offset, event.message);
    else if (type === 'gap' && !isIgnored) this.#tap.gap(group, { epoch, offset }, reason);
    else if (type === 'ack' && id !== undefined) this.#answered(id, event);
    else if (type === 'joined') this.#tap.joined(group, { epoch, offset }, this.#resumed.get(group), event);
    else if (type === 'welcome') {
      this.#welcomed.push(...(event.joined ?? []));
      queueMicrotask(() => this.#logWelcomed());
    }
  }

  /** Logs the groups of the welcome, but those that the SDK resumes in the same turn. */
  #logWelcomed(): void {
    for (const { group_id, ...position } of this.#welcomed.splice(0))
      if (!this.#resumed.has(group_id)) this.#tap.joined(group_id, position, undefined, {});
  }

  #answered(id: number, event: WireEvent): void {
    const group = this.#groupById.get(id);
    this.#groupById.delete(id);
    if (group === undefined) return;
    const command = this.#asked.get(group);
    if (command?.id !== id) return;
    if (command.cmd === 'leave_group') {
      this.#tap.left(group);
      return;
    }
    this.#joined.add(group);
    const { epoch = '', offset = 0 } = event;
    this.#tap.joined(group, { epoch, offset }, command.since, event);
  }
}
