import type { Random } from '../../random.ts';
import type { Happening, HistoryEvent, Invoked, Position } from '../history-event.ts';

interface ModelGroup {
  readonly name: string;
  epoch: string;
  /** The message at each offset, from offset 1. */
  log: string[];
}

/** Share of publications that are ephemeral. */
const EPHEMERAL = 0.15;

interface ModelMember {
  readonly name: string;
  readonly group: ModelGroup;
  readonly excluded: Set<string>;
  at: Position;
  connected: boolean;
}

const STEPS = 600;

/**
 * Returns the log of a faultless system: publishers that wait for each answer (some rejected, some
 * missing), members that drop and recover, one that left, PHP workers, one group whose history was
 * trimmed, a restarted hub, and a last message for each group.
 */
export class ModelHistory {
  readonly events: HistoryEvent[] = [];
  readonly #random: Random;
  readonly #groups: ModelGroup[];
  readonly #members: ModelMember[] = [];
  /** PHP workers, and whether each is connected. */
  readonly #phpPeers: Map<string, boolean> = new Map([
    ['php0', false],
    ['php1', false],
  ]);
  readonly #seqs: Map<string, number> = new Map();
  #epochs = 1;
  #reads = 0;
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#groups = ['a', 'b', 'c'].map((name) => ({ name, epoch: 'e1', log: [] }));
    this.#join();
    for (const peer of this.#phpPeers.keys()) this.#switchPhp(peer);
    this.#add({ type: 'fault', number: 1, name: 'hub killed' });
    for (let step = 0; step < STEPS; step++) this.#step(step);
    this.#add({ type: 'proof', number: 1, detail: 'pid 1 is gone' });
    this.#end();
  }

  #add(happening: Happening): void {
    this.#at += 1;
    this.events.push({ at: this.#at, ...happening });
  }

  #join(): void {
    for (let index = 0; index < 6; index++) {
      for (const group of this.#random.sample(this.#groups, 2)) {
        const name = `m${index}`;
        const at = { epoch: group.epoch, offset: group.log.length };
        this.#members.push({ name, group, excluded: new Set(), at, connected: true });
        this.#add({ type: 'join', member: name, group: group.name, position: at });
      }
    }
    const [group] = this.#groups;
    const stranger = { member: 'left', group: group!.name };
    this.#add({ type: 'join', ...stranger, position: { epoch: group!.epoch, offset: 0 } });
    this.#add({ type: 'leave', ...stranger });
  }

  #step(step: number): void {
    if (step === STEPS / 2) this.#restart();
    if (step === STEPS / 4) this.#joinLate(this.#groups[0]!);
    const member = this.#random.pick(this.#members);
    const dice = this.#random.next();
    if (dice < 0.02) this.#switchPhp(this.#random.pick([...this.#phpPeers.keys()]));
    else if (dice < 0.05) this.#read(this.#random.pick(this.#groups));
    else if (dice < 0.4) this.#publish(this.#random.pick(this.#groups));
    else if (dice < 0.9) this.#deliver(member, this.#random.between(1, 5));
    else if (member.connected) member.connected = false;
    else this.#reconnect(member);
  }

  #publish(group: ModelGroup): void {
    const once = this.#random.next() < 0.3;
    const publisher = `${once ? 'w' : 'p'}${this.#random.between(0, 2)}`;
    const key = `${publisher}:${group.name}`;
    const seq = (this.#seqs.get(key) ?? 0) + 1;
    this.#seqs.set(key, seq);
    const id = `${key}:${seq}`;
    const own = this.#random.next() < 0.1 ? this.#random.pick(this.#members) : undefined;
    const excludes = own?.group === group ? { excludes: own.name } : {};
    if (!once && this.#random.next() < EPHEMERAL) {
      this.#publishEphemeral(group, { id, publisher, group: group.name, seq, ...excludes });
      return;
    }
    this.#add({ type: 'inv', id, publisher, group: group.name, seq, ...excludes, ...(once && { once }) });
    const dice = this.#random.next();
    if (dice < 0.05) {
      this.#add({ type: 'fail', id, code: 'not_sent' });
      return;
    }
    group.log.push(id);
    if (own?.group === group) own.excluded.add(id);
    if (once || dice < 0.1) this.#add({ type: 'info', id, code: 'outcome_unknown' });
    else this.#add({ type: 'ok', id, position: { epoch: group.epoch, offset: group.log.length } });
    this.#tellPhp(group, id);
  }

  /** Reaches some of the members that have all messages of the group. */
  #publishEphemeral(group: ModelGroup, sent: Omit<Invoked, 'type' | 'ephemeral'>): void {
    const { id, excludes } = sent;
    this.#add({ type: 'inv', ...sent, ephemeral: true });
    for (const { name, group: of, at, connected } of this.#members) {
      if (of !== group || !connected || at.offset < group.log.length || name === excludes) continue;
      if (this.#random.next() < 0.1) continue;
      this.#add({ type: 'recv-ephemeral', member: name, group: group.name, id, intact: true });
    }
    if (this.#random.next() < 0.1) this.#add({ type: 'info', id, code: 'outcome_unknown' });
    else this.#add({ type: 'ok', id });
  }

  #read({ name: group, epoch, log }: ModelGroup): void {
    this.#reads += 1;
    const read = `read:${this.#reads}`;
    const top = log.length;
    const first = Math.max(0, top - this.#random.between(1, 20));
    const ids = log.slice(first, first + 10);
    const messages = ids.map((id, index) => ({ id, offset: first + 1 + index, intact: true }));
    const since = this.#random.next() < 0.5 ? { since: { epoch, offset: first } } : {};
    this.#add({ type: 'ask', read, group });
    const position = { epoch, offset: first + messages.length };
    const answer = { position, verdict: 'recovered', more: position.offset < top, messages };
    this.#add({ type: 'read', read, group, ...since, ...answer });
  }

  /** A member joins with the newest five messages. */
  #joinLate(group: ModelGroup): void {
    const count = Math.min(5, group.log.length);
    const position = { epoch: group.epoch, offset: group.log.length };
    const at = { ...position, offset: position.offset - count };
    const member = { name: 'late', group, excluded: new Set<string>(), at, connected: true };
    this.#members.push(member);
    this.#add({ type: 'join', member: 'late', group: group.name, position, count });
    this.#deliver(member, count);
  }

  #tellPhp({ name: group }: ModelGroup, id: string): void {
    for (const [peer, isConnected] of this.#phpPeers) {
      if (isConnected) this.#add({ type: 'php-heard', peer, group, id, intact: true });
    }
  }

  #switchPhp(peer: string): void {
    const isConnected = this.#phpPeers.get(peer) !== true;
    this.#phpPeers.set(peer, isConnected);
    this.#add({ type: isConnected ? 'php-connected' : 'php-lost', peer });
  }

  #deliver(member: ModelMember, count: number): void {
    const { name, group } = member;
    for (let times = 0; times < count && member.connected; times++) {
      const offset = member.at.offset + 1;
      const id = group.log[offset - 1];
      if (id === undefined) return;
      member.at = { epoch: group.epoch, offset };
      if (member.excluded.has(id)) continue;
      this.#add({ type: 'recv', member: name, group: group.name, position: member.at, id, intact: true });
    }
  }

  #reconnect(member: ModelMember): void {
    member.connected = true;
    const { name, group, at } = member;
    const position = { epoch: group.epoch, offset: group.log.length };
    const common = { type: 'join', member: name, group: group.name, position, since: at } as const;
    if (at.epoch !== group.epoch) this.#add({ ...common, recovered: false, reason: 'epoch_changed' });
    else if (position.offset - at.offset > 30) this.#add({ ...common, recovered: false, reason: 'trimmed' });
    else {
      this.#add({ ...common, recovered: true });
      return;
    }
    member.at = position;
  }

  #restart(): void {
    for (const [peer, isConnected] of this.#phpPeers) if (isConnected) this.#switchPhp(peer);
    this.#epochs += 1;
    for (const group of this.#groups) {
      group.epoch = `e${this.#epochs}`;
      group.log = [];
    }
    for (const member of this.#members) {
      if (!member.connected) continue;
      member.at = { epoch: member.group.epoch, offset: 0 };
      const { name, group, at } = member;
      this.#add({ type: 'gap', member: name, group: group.name, position: at, reason: 'epoch_changed' });
    }
  }

  #end(): void {
    for (const [peer, isConnected] of this.#phpPeers) if (!isConnected) this.#switchPhp(peer);
    for (const member of this.#members) if (!member.connected) this.#reconnect(member);
    for (const group of this.#groups) {
      const id = `marker:${group.name}`;
      this.#add({ type: 'inv', id, publisher: 'marker', group: group.name, seq: 1 });
      group.log.push(id);
      this.#add({ type: 'ok', id, position: { epoch: group.epoch, offset: group.log.length } });
      this.#add({ type: 'marker', group: group.name, id });
      this.#tellPhp(group, id);
    }
    for (const member of this.#members) this.#deliver(member, member.group.log.length);
  }
}
