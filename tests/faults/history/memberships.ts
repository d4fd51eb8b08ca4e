import { EphemeralMessages } from './ephemeral-messages.ts';
import type { Gap, Joined, Position, Received, ReceivedEphemeral } from './history-event.ts';
import { type Membership, newMembership } from './membership.ts';
import type { Publications } from './publications.ts';
import type { InvariantCode, Violations } from './verdict.ts';

/**
 * Offsets that a member did not receive, all of one epoch. The end of the run shows whether that is
 * a violation: it may have excluded itself.
 */
interface Hole {
  readonly membership: Membership;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly code: InvariantCode;
}

/** The members' side of a history. */
export class Memberships {
  readonly #violations: Violations;
  readonly #publications: Publications;
  readonly #members: Map<string, Map<string, Membership>> = new Map();
  readonly #holes: Hole[] = [];
  readonly #ephemeral: EphemeralMessages;

  constructor(publications: Publications, violations: Violations) {
    this.#publications = publications;
    this.#violations = violations;
    this.#ephemeral = new EphemeralMessages(publications, violations);
  }

  /** Members that are in a group now. */
  *live(): Iterable<Membership> {
    for (const groups of this.#members.values()) {
      for (const membership of groups.values()) if (membership.live) yield membership;
    }
  }

  join(event: Joined): void {
    const known = this.#find(event.member, event.group);
    if (known === undefined) {
      const groups = this.#members.get(event.member) ?? new Map<string, Membership>();
      this.#members.set(event.member, groups);
      groups.set(event.group, newMembership(event));
      if (event.recovered === true) this.#wrong('C7', event, 'recovered, and had never joined');
      return;
    }
    const wasLive = known.live;
    known.live = true;
    if (event.recovered === true) {
      this.#resume(known, event);
    } else if (!wasLive || event.recovered === false) {
      if (event.recovered === false && event.reason === undefined) {
        this.#wrong('C7', event, 'was not recovered, and was not told why');
      }
      this.#jump(known, event.position);
    } else if (!isSame(known, event.position)) {
      this.#wrong('C7', event, `joined again at ${text(event.position)}, and was at ${text(known)}`);
      this.#jump(known, event.position);
    }
  }

  gap(event: Gap): void {
    const known = this.#find(event.member, event.group);
    if (known?.live === true) this.#jump(known, event.position);
    else this.#wrong('C12', event, 'was told of a gap, and is no member');
  }

  leave(member: string, group: string): void {
    const known = this.#find(member, group);
    if (known !== undefined) known.live = false;
  }

  receive(event: Received): void {
    const { member, group, position, id } = event;
    this.#receiveId(event);
    const known = this.#find(member, group);
    if (known?.live !== true) {
      this.#wrong('C12', event, `got ${id}, and is no member`);
      return;
    }
    if (position.epoch !== known.epoch) {
      this.#wrong('C7', event, `was at ${text(known)}, and got ${id} of ${text(position)} unannounced`);
      this.#jump(known, position);
    } else if (position.offset <= Math.max(known.offset, known.top)) {
      const had = Math.max(known.offset, known.top);
      this.#wrong('C3', event, `was at ${had}, and got ${id} of ${position.offset}`);
      return;
    } else if (position.offset > known.offset + 1) {
      this.#addHole(known, position.offset - 1, known.promised ? 'C7' : 'C4');
    }
    known.offset = position.offset;
    known.top = position.offset;
    known.promised = false;
    known.lastId = id;
    known.latestSent = Math.max(known.latestSent, this.#publications.get(id)?.sentAs ?? 0);
  }

  receiveEphemeral(event: ReceivedEphemeral): void {
    const known = this.#find(event.member, event.group);
    if (known?.live === true) this.#ephemeral.receive(event, known);
    else this.#wrong('C12', event, `got ${event.id}, and is no member`);
  }

  /** Judges after all events: holes (C4, C7), and missing messages at the end (C6). */
  check(): void {
    for (const membership of this.live()) {
      const top = this.#publications.acknowledgedTop(membership.group, membership.epoch);
      if (top > membership.offset) this.#addHole(membership, top, 'C6');
    }
    const excused = this.#publications.unseenExcluded();
    for (const hole of this.#holes) this.#checkHole(hole, excused);
    this.#ephemeral.check();
  }

  #receiveId(event: Received): void {
    const { member, group, position, id, intact } = event;
    if (!intact) this.#wrong('C1', event, `got ${id}, which was changed on its way`);
    const publication = this.#publications.get(id);
    if (publication === undefined) {
      this.#wrong('C1', event, `got ${id}, which was never sent`);
    } else if (publication.group !== group) {
      this.#wrong('C12', event, `got ${id}, which was sent to ${publication.group}`);
    } else {
      if (publication.excludes === member) this.#wrong('C12', event, `got ${id} of its own`);
      this.#publications.place(publication, position);
    }
  }

  #resume(known: Membership, event: Joined): void {
    const since = event.since ?? known;
    if (since.epoch !== known.epoch || event.position.epoch !== since.epoch) {
      const positions = `from ${text(known)} since ${text(since)} to ${text(event.position)}`;
      this.#wrong('C7', event, `recovered ${positions}`);
      this.#jump(known, event.position);
      return;
    }
    if (event.position.offset < since.offset) {
      this.#wrong('C7', event, `recovered since ${text(since)}, in front of ${text(event.position)}`);
    }
    // A client knows its own messages that it excluded itself from, and asks for those after them.
    if (since.offset > known.offset) this.#addHole(known, since.offset, 'C4');
    known.offset = Math.max(known.offset, since.offset);
    known.promised = true;
  }

  #jump(known: Membership, position: Position): void {
    if (position.epoch !== known.epoch) {
      known.epochsLeft.add(known.epoch);
      if (known.epochsLeft.has(position.epoch)) {
        this.#wrong('C7', known, `is back in the epoch ${position.epoch}, which was over`);
      }
      known.epoch = position.epoch;
      known.top = 0;
    }
    known.offset = position.offset;
    known.promised = false;
  }

  #addHole(membership: Membership, to: number, code: InvariantCode): void {
    this.#holes.push({ membership, epoch: membership.epoch, from: membership.offset + 1, to, code });
  }

  #checkHole({ membership, epoch, from, to, code }: Hole, excused: Map<string, number>): void {
    const { member, group } = membership;
    const key = `${group} ${member}`;
    for (let offset = from; offset <= to; offset++) {
      const publication = this.#publications.at(group, { epoch, offset });
      if (publication?.excludes === member) continue;
      const excuses = publication === undefined ? (excused.get(key) ?? 0) : 0;
      if (excuses > 0) {
        excused.set(key, excuses - 1);
        continue;
      }
      const what = `did not get ${epoch}/${offset} (${publication?.id ?? 'no member did'})`;
      this.#wrong(code, membership, what);
      if (code !== 'C6' && publication?.outcome === 'ok') {
        this.#wrong('C6', membership, `${what}, which was acknowledged`);
      }
    }
  }

  #find(member: string, group: string): Membership | undefined {
    return this.#members.get(member)?.get(group);
  }

  #wrong(code: InvariantCode, { member, group }: { member: string; group: string }, what: string): void {
    this.#violations.add(code, `${member} in ${group} ${what}`);
  }
}

function isSame(one: Position, other: Position): boolean {
  return one.epoch === other.epoch && one.offset === other.offset;
}

function text({ epoch, offset }: Position): string {
  return `${epoch}/${offset}`;
}
