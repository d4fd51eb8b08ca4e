/** Who is served next where one of several is: each in turn, by name. */
export class Turns<Member> {
  readonly #members = new Map<string, Set<Member>>();

  /** Names that somebody waits for. */
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

  /** Undefined where there is nobody. */
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
