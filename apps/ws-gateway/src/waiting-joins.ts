import type { CommandId } from '@groupcast/protocol/schema';
import type { Group } from './group.ts';
import type { Member } from './member.ts';

/** A join with an id that the hub has not answered yet. */
export interface WaitingJoin {
  readonly member: Member;
  readonly id: CommandId;
  /** Whether it was this join that made it a member; otherwise it stays one when the join is given up. */
  readonly joined: boolean;
  /** When it is given up, in ticks of the wheel. */
  readonly deadline: number;
}

const NONE: readonly WaitingJoin[] = [];

/** The joins of all groups that wait for the hub. Whoever takes one has to answer it. */
export class WaitingJoins {
  // All wait equally long, so that those of a group stand in the order of their deadlines.
  readonly #byGroup = new Map<Group, WaitingJoin[]>();

  /** How many groups are waited for. */
  get size(): number {
    return this.#byGroup.size;
  }

  add(group: Group, join: WaitingJoin): void {
    join.member.waitingJoins += 1;
    const joins = this.#byGroup.get(group);
    if (joins === undefined) this.#byGroup.set(group, [join]);
    else joins.push(join);
  }

  /** All of a group, in the order in which they came. */
  takeAll(group: Group): readonly WaitingJoin[] {
    return this.#take(group, () => true);
  }

  /** Those of one member. */
  takeOf(group: Group, member: Member): readonly WaitingJoin[] {
    return member.waitingJoins === 0 ? NONE : this.#take(group, (join) => join.member === member);
  }

  /** Those whose time is over, with their groups. */
  takeExpired(now: number): (readonly [group: Group, join: WaitingJoin])[] {
    const expired: (readonly [Group, WaitingJoin])[] = [];
    for (const [group, [first]] of this.#byGroup) {
      if (first === undefined || first.deadline > now) continue;
      for (const join of this.#take(group, ({ deadline }) => deadline <= now)) expired.push([group, join]);
    }
    return expired;
  }

  #take(group: Group, isTaken: (join: WaitingJoin) => boolean): readonly WaitingJoin[] {
    const joins = this.#byGroup.get(group) ?? NONE;
    const taken = joins.filter(isTaken);
    if (taken.length === joins.length) this.#byGroup.delete(group);
    else if (taken.length > 0)
      this.#byGroup.set(
        group,
        joins.filter((join) => !isTaken(join)),
      );
    for (const { member } of taken) member.waitingJoins -= 1;
    return taken;
  }
}
