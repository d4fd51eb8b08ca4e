import type { CommandId } from '@groupcast/protocol/schema';
import type { Group } from './group.ts';
import type { Member } from './member.ts';
import { MemberWait } from './member-wait.ts';

/** A join with an id that cannot be answered yet. */
export class WaitingJoin extends MemberWait {
  readonly group: Group;
  readonly id: CommandId;
  /** Whether it was this join that brought the member in; otherwise it stays when the join is given up. */
  readonly joined: boolean;
  /** When it is given up, in ticks of the wheel. */
  readonly deadline: number;

  constructor(group: Group, member: Member, id: CommandId, joined: boolean, deadline: number) {
    super(member);
    this.group = group;
    this.id = id;
    this.joined = joined;
    this.deadline = deadline;
  }
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

  add(join: WaitingJoin): void {
    const { group, member } = join;
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
    return this.#take(group, member, () => true);
  }

  /** Those whose time is over. */
  takeExpired(now: number): readonly ExpiredJoins[] {
    const expired: ExpiredJoins[] = [];
    for (const [group, members] of this.#byGroup) {
      for (const member of members.keys()) {
        const joins = this.#take(group, member, ({ deadline }) => deadline <= now);
        if (joins.length > 0) expired.push({ group, member, joins });
      }
    }
    return expired;
  }

  #take(group: Group, member: Member, isTaken: (join: WaitingJoin) => boolean): readonly WaitingJoin[] {
    const members = this.#byGroup.get(group);
    const all = members?.get(member);
    if (members === undefined || all === undefined) return NONE;
    const taken = all.filter(isTaken);
    if (taken.length === all.length) members.delete(member);
    else if (taken.length > 0)
      members.set(
        member,
        all.filter((join) => !isTaken(join)),
      );
    if (members.size === 0) this.#byGroup.delete(group);
    for (const join of taken) join.end();
    return taken;
  }
}
