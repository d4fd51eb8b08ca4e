import type { Group } from './group.ts';
import type { Member } from './member.ts';

/** One value for each pair of a group and a member. */
export class MemberMap<T> {
  readonly #byGroup = new Map<Group, Map<Member, T>>();

  get(group: Group, member: Member): T | undefined {
    return this.#byGroup.get(group)?.get(member);
  }

  set(group: Group, member: Member, value: T): void {
    const values = this.#byGroup.get(group);
    if (values === undefined) this.#byGroup.set(group, new Map([[member, value]]));
    else values.set(member, value);
  }

  delete(group: Group, member: Member): void {
    const values = this.#byGroup.get(group);
    if (values?.delete(member) === true && values.size === 0) this.#byGroup.delete(group);
  }

  /** Returns the values of a group by member. Undefined where it has none. */
  of(group: Group): ReadonlyMap<Member, T> | undefined {
    return this.#byGroup.get(group);
  }

  /** Returns how many values of all groups match. */
  count(matches: (value: T) => boolean): number {
    let count = 0;
    for (const values of this.#byGroup.values()) {
      for (const value of values.values()) if (matches(value)) count += 1;
    }
    return count;
  }
}
