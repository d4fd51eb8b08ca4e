import type { WebSocketConstructor } from '@groupcast/client';
import { type RawData, WebSocket } from 'ws';
import type { Position } from '../history/history-event.ts';
import type { HistoryLog } from '../history/history-log.ts';
import { readMessage } from './message-text.ts';

/** What one member's connections carried, and how they came and went. */
export class WireTap {
  readonly member: string;
  readonly #log: HistoryLog;
  readonly #epochs: Map<string, string> = new Map();
  readonly #received: Map<string, number> = new Map();
  readonly #lastIds: Map<string, string> = new Map();
  /** The sockets that are open, for whoever wants to mistreat them. */
  readonly sockets: Set<WebSocket> = new Set();
  /** When connections were opened, by performance.now(). */
  readonly openedAt: number[] = [];
  /** How and when connections ended; 1006 is an end without a close frame. */
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
    // An attempt that failed is no connection that was closed.
    if (!this.sockets.delete(socket)) return;
    this.closes.push({ at: performance.now(), code });
    if (this.sockets.size === 0) this.#epochs.clear();
  }

  /** Groups that it has joined with the connection that it has now. */
  get groups(): ReadonlySet<string> {
    return new Set(this.#epochs.keys());
  }

  /** Messages that came, of one group. */
  received(group: string): number {
    return this.#received.get(group) ?? 0;
  }

  lastId(group: string): string | undefined {
    return this.#lastIds.get(group);
  }

  joined(group: string, position: Position, since: Position | undefined, answer: Answer): void {
    this.#epochs.set(group, position.epoch);
    const { recovered, reason } = answer;
    this.#log.add({
      type: 'join',
      member: this.member,
      group,
      position,
      ...(since && { since }),
      ...(recovered !== undefined && { recovered }),
      ...(reason !== undefined && { reason }),
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

  /** A message has no epoch of its own: it is of the one that was announced last. */
  message(group: string, offset: number, text: unknown): void {
    const { id, intact } = readMessage(text);
    const position = { epoch: this.#epochs.get(group) ?? 'none', offset };
    this.#log.add({ type: 'recv', member: this.member, group, position, id, intact });
    this.#received.set(group, this.received(group) + 1);
    this.#lastIds.set(group, id);
  }
}

interface Answer {
  readonly recovered?: boolean;
  readonly reason?: string;
}

interface WireEvent extends Answer, Partial<Position> {
  readonly type: string;
  readonly id?: number;
  readonly group_id?: string;
  readonly message?: unknown;
}

interface WireCommand {
  readonly cmd: string;
  readonly id?: number;
  readonly group_id?: string;
  readonly since?: Position;
}

/**
 * A WebSocket for the SDK that logs what goes over it. What the SDK says to its application would not do: it drops what comes twice, and
 * so would hide that a gateway sent it twice. `url` says where to connect, each time. Of what `loses` says so, the log is told nothing.
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
        // What comes after the SDK has closed is nothing to it, and it will ask for it again.
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

/** What was asked and answered on one connection. */
class Conversation {
  readonly #tap: WireTap;
  /** By group, what was asked last: an answer to anything before it is late, and the SDK ignores it. */
  readonly #asked: Map<string, WireCommand> = new Map();
  readonly #groupById: Map<number, string> = new Map();
  readonly #joined: Set<string> = new Set();

  constructor(tap: WireTap) {
    this.#tap = tap;
  }

  send(command: WireCommand): void {
    const { cmd, id, group_id: group } = command;
    if (id === undefined || group === undefined || (cmd !== 'add_group' && cmd !== 'leave_group')) return;
    this.#asked.set(group, command);
    this.#groupById.set(id, group);
    this.#joined.delete(group);
  }

  receive(event: WireEvent): void {
    const { type, id, group_id: group = '', epoch = '', offset = 0, reason = '' } = event;
    // While a join or a leave is under way the SDK takes nothing. A group that was never asked for is another matter.
    const isIgnored = this.#asked.has(group) && !this.#joined.has(group);
    if (type === 'message' && !isIgnored) this.#tap.message(group, offset, event.message);
    else if (type === 'gap' && !isIgnored) this.#tap.gap(group, { epoch, offset }, reason);
    else if (type === 'ack' && id !== undefined) this.#answered(id, event);
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
