import type { Member } from './member.ts';

/**
 * An answer of the hub that a member waits for: from its start to its one end, whichever way that comes, it is among the waits of
 * the member, and so counts. Nothing else changes them.
 */
export class MemberWait {
  readonly member: Member;

  constructor(member: Member) {
    this.member = member;
    member.waits ??= new Set();
    member.waits.add(this);
  }

  /** Returns whether this is the end: it had none before. */
  end(): boolean {
    const { member } = this;
    const isEnd = member.waits?.delete(this) === true;
    if (member.waits?.size === 0) member.waits = undefined;
    return isEnd;
  }

  /** The member has gone. */
  cancel(): void {
    this.end();
  }
}

/** How many answers of the hub a member waits for. */
export function waitCount(member: Member): number {
  return member.waits?.size ?? 0;
}
