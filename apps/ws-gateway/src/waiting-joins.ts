import type { CommandId } from '@groupcast/protocol/schema';
import type { Group } from './group.ts';
import type { Member } from './member.ts';

/** A join with an id that cannot be answered yet. */
export interface WaitingJoin {
  readonly id: CommandId;
  /** Whether it was this join that brought the member in; otherwise it stays when the join is given up. */
  readonly joined: boolean;
  /** When it is given up, in ticks of the wheel. */
  readonly deadline: number;
}

/** The joins of one member of a group whose time is over. */
export interface ExpiredJoins {
  readonly group: Group;
  readonly member: Member;
  readonly joins: readonly WaitingJoin[];
}

const NONE: readonly WaitingJoin[] = [];

/** The joins of all groups that wait for the hub. Whoever takes one has to answer it. */
export class WaitingJoins {
  readonly #byGroup = new Map<Group, Map<Member, WaitingJoin[]>>();

  /** How many groups are waited for. */
  get size(): number {
    return this.#byGroup.size;
  }

  add(group: Group, member: Member, join: WaitingJoin): void {
    member.waitingAnswers += 1;
    let members = this.#byGroup.get(group);
    if (members === undefined) {
      members = new Map();
      this.#byGroup.set(group, members);
    }
    const joins = members.get(member);
    if (joins === undefined) members.set(member, [join]);
    else joins.push(join);
  }

  /** Those of one member, in the order in which they came. */
  takeOf(group: Group, member: Member): readonly WaitingJoin[] {
    const members = this.#byGroup.get(group);
    const joins = members?.get(member);
    if (members === undefined || joins === undefined) return NONE;
    members.delete(member);
    if (members.size === 0) this.#byGroup.delete(group);
    member.waitingAnswers -= joins.length;
    return joins;
  }

  /** Those whose time is over. */
  takeExpired(now: number): readonly ExpiredJoins[] {
    const expired: ExpiredJoins[] = [];
    for (const [group, members] of this.#byGroup) {
      for (const [member, all] of members) {
        const joins = all.filter(({ deadline }) => deadline <= now);
        if (joins.length === 0) continue;
        expired.push({ group, member, joins });
        member.waitingAnswers -= joins.length;
        const others = all.filter(({ deadline }) => deadline > now);
        if (others.length > 0) members.set(member, others);
        else members.delete(member);
      }
      if (members.size === 0) this.#byGroup.delete(group);
    }
    return expired;
  }
}
