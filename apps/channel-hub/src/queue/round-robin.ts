/** Round-robin over the members of each name. */
export class RoundRobin<Member> {
  readonly #members = new Map<string, Set<Member>>();

  /** Number of names that have members. */
  get size(): number {
    return this.#members.size;
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  join(name: string, member: Member): void {
    const members = this.#members.get(name);
    if (members === undefined) this.#members.set(name, new Set([member]));
    else members.add(member);
  }

  leave(name: string, member: Member): void {
    const members = this.#members.get(name);
    members?.delete(member);
    if (members?.size === 0) this.#members.delete(name);
  }

  /** Returns the next member, or undefined if the name has none. */
  next(name: string): Member | undefined {
    const members = this.#members.get(name);
    for (const member of members ?? []) {
      members?.delete(member);
      members?.add(member);
      return member;
    }
    return undefined;
  }
}
