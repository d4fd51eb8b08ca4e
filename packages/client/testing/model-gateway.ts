import {
  CLIENT_SESSION_PREFIX,
  type ClientCommand,
  type ClientEvent,
  type GapReason,
} from '@groupcast/protocol/schema';
import type { Position } from '../src/index.ts';

type HistoryCommand = Extract<ClientCommand, { cmd: 'history' }>;

interface Publication {
  /** Missing when it is ephemeral. */
  readonly offset?: number;
  readonly at: number;
  readonly message: string;
  readonly sender: string;
  readonly excludesSender: boolean;
}

interface Group {
  epoch: string;
  offset: number;
  history: Publication[];
  readonly members: Set<ModelConnection>;
}

interface PublishOptions {
  readonly sender?: string;
  readonly messageId?: string | undefined;
  readonly excludesSender?: boolean | undefined;
  readonly isStored?: boolean | undefined;
  readonly answered?: (publication: Publication) => void;
}

/** The answer to a join, and the messages that follow it. */
interface JoinResult {
  readonly epoch: string;
  readonly offset: number;
  readonly recovered?: boolean;
  readonly reason?: GapReason;
  readonly count?: number;
  readonly missed: readonly Publication[];
}

type Send = (event: ClientEvent) => void;

/** Characters of a client id, and bytes of a session: those of the gateway. */
const CLIENT_ID_LENGTH = 22;
const SESSION_BYTES = 32;

/** Default for the messages of a `history`. */
const HISTORY_LIMIT = 100;

function randomSession(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SESSION_BYTES));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * A gateway and its hub as PROTOCOL.md describes them, in memory: groups, history, ephemeral
 * messages, deduplication of message ids, sessions, groups that the server joins. It accepts any
 * token.
 */
export class ModelGateway {
  /** Publications that a group keeps. */
  historyMax = 1_000;
  /** Returns the code with which a command is rejected, or `undefined` to execute it. */
  refuse: ((command: ClientCommand) => string | undefined) | undefined;
  /** Life of a token, in milliseconds. Without it, tokens do not expire. */
  tokenLifeMs: number | undefined;
  /** Groups that the server joins for each client, at the first command of the client. */
  readonly serverGroups = new Set<string>();
  readonly #groups = new Map<string, Group>();
  readonly #published = new Map<string, Publication>();
  #epochs = 0;

  /** Connects a client that offers these subprotocols. */
  connect(protocols: Iterable<string>, send: Send): ModelConnection {
    const offered = [...protocols].find((protocol) => protocol.startsWith(CLIENT_SESSION_PREFIX));
    const session = offered?.slice(CLIENT_SESSION_PREFIX.length) ?? randomSession();
    return new ModelConnection(this, session, send);
  }

  group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { epoch: this.#newEpoch(), offset: 0, history: [], members: new Set() };
      this.#groups.set(name, group);
    }
    return group;
  }

  /** Returns the messages in the history of a group, in order. */
  messagesOf(name: string): string[] {
    return this.group(name).history.map(({ message }) => message);
  }

  /** Publishes. Calls `answered` before the delivery to members, as a gateway can. */
  publish(
    name: string,
    message: string,
    { sender = '', messageId = '', excludesSender = false, isStored = true, answered }: PublishOptions = {},
  ): void {
    const key = `${name} ${sender} ${messageId}`;
    const known = messageId === '' ? undefined : this.#published.get(key);
    if (known !== undefined) {
      answered?.(known);
      return;
    }
    const group = this.group(name);
    const content = { at: Date.now(), message, sender, excludesSender };
    if (isStored) group.offset += 1;
    const publication = isStored ? { ...content, offset: group.offset } : content;
    if (isStored) group.history = [...group.history, publication].slice(-this.historyMax);
    this.#published.set(key, publication);
    answered?.(publication);
    for (const member of group.members) member.deliver(name, publication);
  }

  /** Restarts the hub: the history is lost, and the members receive a gap. */
  loseHistory(name: string): void {
    const group = this.group(name);
    group.epoch = this.#newEpoch();
    group.offset = 0;
    group.history = [];
    this.#published.clear();
    for (const member of group.members) member.gap(name, group.epoch, group.offset);
  }

  #newEpoch(): string {
    this.#epochs += 1;
    return `epoch-${this.#epochs}`;
  }
}

/** One client of the model. */
export class ModelConnection {
  readonly clientId: string;
  readonly #gateway: ModelGateway;
  readonly #groups = new Set<Group>();
  #send: Send;
  #isFirst = true;

  constructor(gateway: ModelGateway, session: string, send: Send) {
    this.#gateway = gateway;
    this.#send = send;
    // A gateway hashes the session, which browsers can only do asynchronously.
    this.clientId = [...session.slice(0, CLIENT_ID_LENGTH)].reverse().join('');
    send({
      type: 'welcome',
      client_id: this.clientId,
      session,
      heartbeat: { interval_ms: 25_000, timeout_ms: 10_000 },
      limits: { message_bytes: 65_536, groups: 128, messages_per_second: 1_000, messages_burst: 2_000 },
      token_expires_in_ms: gateway.tokenLifeMs,
    });
  }

  /** Ends the connection. */
  end(): void {
    this.#send = () => {};
    for (const group of this.#groups) group.members.delete(this);
  }

  /** Joins a group for the client. */
  serverJoins(group_id: string, since?: Position): void {
    const group = this.#gateway.group(group_id);
    if (group.members.has(this)) return;
    const { missed, ...result } = this.#join(group, { since });
    this.#send({ type: 'joined', group_id, ...result });
    for (const publication of missed) this.deliver(group_id, publication);
  }

  /** Removes the client from a group. */
  serverRemoves(group_id: string, reason: string): void {
    if (!this.#gateway.group(group_id).members.delete(this)) return;
    this.#send({ type: 'removed', group_id, reason });
  }

  receive(command: ClientCommand): void {
    this.#begin(command.cmd === 'resume' ? command.positions : {});
    const code = this.#gateway.refuse?.(command);
    if (code !== undefined) {
      this.#send({ type: 'error', id: command.id ?? 0, code, message: 'Rejected by the test.' });
      return;
    }
    const id = command.id ?? 0;
    if (command.cmd === 'refresh') {
      this.#send({ type: 'ack', id, token_expires_in_ms: this.#gateway.tokenLifeMs });
      return;
    }
    if (!('group_id' in command)) return;
    if ('uid' in command) {
      // Its clients have no users that could be removed.
      this.#send({ type: 'ack', id });
      return;
    }
    const { group_id } = command;
    const group = this.#gateway.group(group_id);
    const { epoch } = group;
    if (command.cmd === 'add_group') {
      const isMember = group.members.has(this);
      const { missed, ...result } = this.#join(group, isMember ? {} : command);
      this.#send({ type: 'ack', id, group_id, ...result });
      for (const publication of missed) this.deliver(group_id, publication);
    } else if (command.cmd === 'leave_group') {
      group.members.delete(this);
      this.#send({ type: 'ack', id, group_id });
    } else if (command.cmd === 'group_info') {
      this.#send({ type: 'ack', id, group_id, epoch, offset: group.offset });
    } else if (command.cmd === 'history') {
      this.#read(group, command);
    } else if (command.cmd === 'send_to_group') {
      this.#gateway.publish(group_id, command.message, {
        sender: this.clientId,
        messageId: command.message_id,
        excludesSender: command.exclude_self,
        isStored: command.store,
        answered: ({ offset }) => {
          const result = offset === undefined ? { stored: false } : { epoch, offset };
          this.#send({ type: 'ack', id, group_id, ...result });
        },
      });
    }
  }

  deliver(group_id: string, publication: Publication): void {
    if (this.#isHidden(publication)) return;
    this.#send({ type: 'message', group_id, ...fieldsOf(publication) });
  }

  gap(group_id: string, epoch: string, offset: number): void {
    this.#send({ type: 'gap', group_id, reason: 'epoch_changed', epoch, offset });
  }

  /** Joins the groups of the server, at the first command. */
  #begin(positions: Readonly<Record<string, Position>>): void {
    if (!this.#isFirst) return;
    this.#isFirst = false;
    for (const name of this.#gateway.serverGroups) this.serverJoins(name, positions[name]);
  }

  #isHidden({ excludesSender, sender }: Publication): boolean {
    return excludesSender && sender === this.clientId;
  }

  #join(
    group: Group,
    { since, last }: { since?: Position | undefined; last?: number | undefined },
  ): JoinResult {
    const { epoch, offset, members, history } = group;
    members.add(this);
    this.#groups.add(group);
    if (last !== undefined) {
      const missed = history.slice(-last);
      return { epoch, offset, count: missed.length, missed };
    }
    if (since === undefined) return { epoch, offset, missed: [] };
    const reason = reasonOf(group, since);
    if (reason !== undefined) return { epoch, offset, recovered: false, reason, missed: [] };
    return { epoch, offset, recovered: true, missed: messagesAfter(group, since.offset) };
  }

  #read(group: Group, { id = 0, group_id, since, last, limit = HISTORY_LIMIT }: HistoryCommand): void {
    const { epoch, offset, history } = group;
    const ack = { type: 'ack', id, group_id, epoch, offset } as const;
    const reason = since && reasonOf(group, since);
    if (reason !== undefined) {
      this.#send({ ...ack, verdict: reason, messages: [] });
      return;
    }
    const found = since ? messagesAfter(group, since.offset) : history.slice(-(last ?? 0));
    const read = found.slice(0, limit);
    const visible = read.filter((publication) => !this.#isHidden(publication));
    const messages = visible.map((publication) => ({ offset: 0, ...fieldsOf(publication) }));
    this.#send({ ...ack, verdict: 'recovered', read_offset: read.at(-1)?.offset ?? offset, messages });
  }
}

function fieldsOf({ offset, message, sender, at }: Publication) {
  const from = sender === '' ? {} : { from: { client_id: sender } };
  return { ...(offset === undefined ? {} : { offset }), message, ...from, at };
}

function reasonOf(
  { epoch, offset, history }: Group,
  since: Position,
): 'epoch_changed' | 'trimmed' | undefined {
  if (since.epoch !== epoch || since.offset > offset) return 'epoch_changed';
  return since.offset < offset - history.length ? 'trimmed' : undefined;
}

function messagesAfter({ history }: Group, offset: number): Publication[] {
  return history.filter((publication) => (publication.offset ?? 0) > offset);
}
