import type { Joined } from './history-event.ts';

/** One member in one group. */
export interface Membership {
  readonly member: string;
  readonly group: string;
  /** False once it has left. */
  live: boolean;
  epoch: string;
  /** Position up to which it has everything of this epoch, except its holes. */
  offset: number;
  /** The highest offset that it received in this epoch. */
  top: number;
  /**
   * Whether it was told that it recovered, and has received nothing since: a hole now contradicts
   * that answer.
   */
  promised: boolean;
  readonly epochsLeft: Set<string>;
  /** The last message received. */
  lastId: string | undefined;
  /** The latest of the messages received, by the order in which they were sent. */
  latestSent: number;
}

/**
 * Returns the membership of a first join. A member that asked for earlier messages was promised
 * `count` of them.
 */
export function newMembership({ member, group, position, count = 0 }: Joined): Membership {
  return {
    member,
    group,
    live: true,
    epoch: position.epoch,
    offset: position.offset - count,
    top: 0,
    latestSent: 0,
    promised: count > 0,
    epochsLeft: new Set(),
    lastId: undefined,
  };
}
