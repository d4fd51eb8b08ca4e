import {
  CLIENT_SESSION_PREFIX,
  type ClientCommand,
  type ClientEvent,
  type CommandId,
} from '@groupcast/protocol/schema';

interface Publication {
  readonly offset: number;
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
  readonly answered?: (publication: Publication) => void;
}

type Send = (event: ClientEvent) => void;

/** Characters of a client id, and bytes of a session: those of the gateway. */
const CLIENT_ID_LENGTH = 22;
const SESSION_BYTES = 32;

function randomSession(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SESSION_BYTES));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * A gateway and its hub as PROTOCOL.md describes them, in memory: groups, history, deduplication of
 * message ids, sessions.
 */
export class ModelGateway {
  /** Publications that a group keeps. */
  historyMax = 1_000;
  /** Returns the code with which a command is rejected, or `undefined` to execute it. */
  refuse: ((command: ClientCommand) => string | undefined) | undefined;
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
    { sender = '', messageId = '', excludesSender = false, answered }: PublishOptions = {},
  ): void {
    const key = `${name} ${sender} ${messageId}`;
    const known = messageId === '' ? undefined : this.#published.get(key);
    if (known !== undefined) {
      answered?.(known);
      return;
    }
    const group = this.group(name);
    group.offset += 1;
    const publication = { offset: group.offset, message, sender, excludesSender };
    group.history = [...group.history, publication].slice(-this.historyMax);
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
    });
  }

  /** Ends the connection. */
  end(): void {
    this.#send = () => {};
    for (const group of this.#groups) group.members.delete(this);
  }

  receive(command: ClientCommand): void {
    const code = this.#gateway.refuse?.(command);
    if (code !== undefined) {
      this.#send({ type: 'error', id: command.id ?? 0, code, message: 'Rejected by the test.' });
      return;
    }
    const id = command.id ?? 0;
    if (command.cmd === 'ping' || command.cmd === 'resume') return;
    const { group_id } = command;
    const group = this.#gateway.group(group_id);
    if (command.cmd === 'add_group') {
      this.#join(group_id, group, id, command.since);
    } else if (command.cmd === 'leave_group') {
      group.members.delete(this);
      this.#send({ type: 'ack', id, group_id });
    } else if (command.cmd === 'group_info') {
      this.#send({ type: 'ack', id, group_id, epoch: group.epoch, offset: group.offset });
    } else if (command.cmd === 'send_to_group') {
      this.#gateway.publish(group_id, command.message, {
        sender: this.clientId,
        messageId: command.message_id,
        excludesSender: command.exclude_self,
        answered: ({ offset }) => this.#send({ type: 'ack', id, group_id, epoch: group.epoch, offset }),
      });
    }
  }

  deliver(group_id: string, { offset, message, sender, excludesSender }: Publication): void {
    if (excludesSender && sender === this.clientId) return;
    const from = sender === '' ? {} : { from: { client_id: sender } };
    this.#send({ type: 'message', group_id, offset, message, ...from });
  }

  gap(group_id: string, epoch: string, offset: number): void {
    this.#send({ type: 'gap', group_id, reason: 'epoch_changed', epoch, offset });
  }

  #join(
    name: string,
    group: Group,
    id: CommandId,
    since: { readonly epoch: string; readonly offset: number } | undefined,
  ): void {
    const { epoch, offset, members, history } = group;
    const ack = { type: 'ack', id, group_id: name, epoch, offset } as const;
    const isMember = members.has(this);
    members.add(this);
    this.#groups.add(group);
    if (since === undefined || isMember) {
      this.#send(ack);
    } else if (since.epoch !== epoch || since.offset > offset) {
      this.#send({ ...ack, recovered: false, reason: 'epoch_changed' });
    } else if (since.offset < offset - history.length) {
      this.#send({ ...ack, recovered: false, reason: 'trimmed' });
    } else {
      this.#send({ ...ack, recovered: true });
      for (const publication of history) {
        if (publication.offset > since.offset) this.deliver(name, publication);
      }
    }
  }
}
