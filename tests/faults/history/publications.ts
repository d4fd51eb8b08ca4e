import type { Invoked, Position } from './history-event.ts';
import type { Violations } from './verdict.ts';

/** One message that a publisher sent, and its outcome. */
export interface Publication extends Invoked {
  outcome: 'none' | 'ok' | 'fail' | 'info';
  /** The last acknowledged message in its group when it was sent: it must come after that. */
  readonly behind: Position | undefined;
  /** Offsets at which it was seen, by epoch. */
  readonly seen: Map<string, number>;
  /** Whether a PHP peer received it, or it is ephemeral and a member did. */
  heard: boolean;
  /** Place among all sends and answers, and that of its acknowledgement. */
  readonly sentAs: number;
  acknowledgedAs: number;
}

/** Knowledge about one epoch of one group. */
interface Epoch {
  /** Number of the epoch, in the order in which the group's epochs were first seen. */
  readonly rank: number;
  readonly idByOffset: Map<number, string>;
  /** The highest acknowledged offset. */
  acknowledgedTop: number;
}

interface GroupHistory {
  readonly epochs: Map<string, Epoch>;
  lastAcknowledged: Position | undefined;
}

/** The publishers' side of a history: messages sent, and their offsets. */
export class Publications {
  readonly #violations: Violations;
  readonly #byId: Map<string, Publication> = new Map();
  readonly #groups: Map<string, GroupHistory> = new Map();
  /** Number of sends and answers so far. */
  #steps = 0;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  get all(): Iterable<Publication> {
    return this.#byId.values();
  }

  get(id: string): Publication | undefined {
    return this.#byId.get(id);
  }

  /** Returns the message at a position, if one was seen there. */
  at(group: string, { epoch, offset }: Position): Publication | undefined {
    const id = this.#groups.get(group)?.epochs.get(epoch)?.idByOffset.get(offset);
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** Returns the highest acknowledged offset of an epoch, or 0. */
  acknowledgedTop(group: string, epoch: string): number {
    return this.#groups.get(group)?.epochs.get(epoch)?.acknowledgedTop ?? 0;
  }

  /**
   * Returns, by `group member`, the number of messages that exclude the member, may have an offset,
   * and were seen by no member. As many holes of the member are not violations.
   */
  unseenExcluded(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { group, excludes, outcome, seen, ephemeral } of this.#byId.values()) {
      if (excludes === undefined || outcome === 'fail' || seen.size > 0 || ephemeral === true) continue;
      const key = `${group} ${excludes}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  invoke(event: Invoked): void {
    if (this.#byId.has(event.id)) throw new Error(`The id ${event.id} was given to two messages.`);
    const behind = this.#group(event.group).lastAcknowledged;
    this.#steps += 1;
    const answer = { outcome: 'none', acknowledgedAs: Number.POSITIVE_INFINITY } as const;
    const sent = { behind, sentAs: this.#steps, seen: new Map<string, number>(), heard: false };
    this.#byId.set(event.id, { ...event, ...answer, ...sent });
  }

  acknowledge(id: string, position: Position | undefined): void {
    const publication = this.#answer(id, 'ok');
    if (publication === undefined) return;
    this.#steps += 1;
    publication.acknowledgedAs = this.#steps;
    if ((position === undefined) !== (publication.ephemeral === true))
      this.#violations.add('C13', `${id} was acknowledged ${position ? 'with' : 'without'} a position`);
    if (position === undefined) return;
    this.place(publication, position);
    const group = this.#group(publication.group);
    const epoch = this.#epoch(group, position.epoch);
    epoch.acknowledgedTop = Math.max(epoch.acknowledgedTop, position.offset);
    const last = group.lastAcknowledged;
    if (last === undefined || this.#isBehind(group, position, last)) group.lastAcknowledged = position;
  }

  refuse(id: string): void {
    this.#answer(id, 'fail');
  }

  giveUp(id: string): void {
    this.#answer(id, 'info');
  }

  /** A message was seen at a position. */
  place(publication: Publication, position: Position): void {
    const { id, seen, ephemeral } = publication;
    if (ephemeral === true) {
      this.#violations.add('C13', `${id} is ephemeral, and stands at ${position.epoch}/${position.offset}`);
      return;
    }
    const { epoch, offset } = position;
    const known = seen.get(epoch);
    if (known === offset) return;
    if (known !== undefined) {
      this.#violations.add('C8', `${id} stands at ${known} and at ${offset} of epoch ${epoch}`);
    } else {
      seen.set(epoch, offset);
    }
    const { idByOffset } = this.#epoch(this.#group(publication.group), epoch);
    const other = idByOffset.get(offset);
    if (other === undefined) idByOffset.set(offset, id);
    else this.#violations.add('C2', `${publication.group} ${epoch}/${offset} is ${other} and ${id}`);
  }

  /**
   * Judges after all events: rejected messages have no offset (C1), and the order is right (C5,
   * C9).
   */
  check(): void {
    for (const publication of this.#byId.values()) {
      const { id, outcome, seen, heard, group, behind } = publication;
      if (outcome === 'fail' && (seen.size > 0 || heard)) {
        this.#violations.add('C1', `${id} was refused, and was delivered to ${group}`);
      }
      if (behind === undefined) continue;
      for (const [epoch, offset] of seen) {
        if (this.#isBehind(this.#group(group), { epoch, offset }, behind)) continue;
        const where = `${epoch}/${offset}, not behind ${behind.epoch}/${behind.offset}`;
        this.#violations.add('C9', `${id} was sent after an acknowledgement and stands at ${group} ${where}`);
      }
    }
    for (const [name, { epochs }] of this.#groups) {
      for (const [epoch, { idByOffset }] of epochs) this.#checkOrder(`${name} ${epoch}`, idByOffset);
    }
  }

  #checkOrder(where: string, idByOffset: ReadonlyMap<number, string>): void {
    const last = new Map<string, Publication>();
    for (const offset of [...idByOffset.keys()].sort((a, b) => a - b)) {
      const publication = this.#byId.get(idByOffset.get(offset) ?? '');
      if (publication === undefined) continue;
      const before = last.get(publication.publisher);
      if (before !== undefined && before.seq > publication.seq) {
        this.#violations.add('C5', `${where}: ${publication.id} stands behind ${before.id}`);
      }
      last.set(publication.publisher, publication);
    }
  }

  #answer(id: string, outcome: 'ok' | 'fail' | 'info'): Publication | undefined {
    const publication = this.#byId.get(id);
    if (publication === undefined) {
      this.#violations.add('C1', `${id} was answered (${outcome}), and never sent`);
      return undefined;
    }
    publication.outcome = outcome;
    return publication;
  }

  /** Returns whether an epoch of a group is later than another one, in which messages were seen. */
  isLaterEpoch(group: string, epoch: string, other: string): boolean {
    const { epochs } = this.#group(group);
    return (epochs.get(epoch)?.rank ?? 0) > (epochs.get(other)?.rank ?? Number.POSITIVE_INFINITY);
  }

  /** Returns the last acknowledged position of a group. */
  lastAcknowledged(group: string): Position | undefined {
    return this.#group(group).lastAcknowledged;
  }

  #isBehind(group: GroupHistory, position: Position, other: Position): boolean {
    if (position.epoch === other.epoch) return position.offset > other.offset;
    return this.#epoch(group, position.epoch).rank > this.#epoch(group, other.epoch).rank;
  }

  #group(name: string): GroupHistory {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { epochs: new Map(), lastAcknowledged: undefined };
      this.#groups.set(name, group);
    }
    return group;
  }

  #epoch(group: GroupHistory, name: string): Epoch {
    let epoch = group.epochs.get(name);
    if (epoch === undefined) {
      epoch = { rank: group.epochs.size, idByOffset: new Map(), acknowledgedTop: 0 };
      group.epochs.set(name, epoch);
    }
    return epoch;
  }
}
