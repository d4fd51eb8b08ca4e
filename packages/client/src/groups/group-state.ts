import type { AckEvent, ClientCommandBody, GapReason, Position } from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import type { Joined } from './group-events.ts';

/** The argument of `load`. */
export interface LoadRequest {
  /** The data must be at least as new. The messages after it follow when `load` is done. */
  readonly position: Position;
  /** `start` for the first load, otherwise the reason why messages were missed. */
  readonly reason: GapReason | 'start';
}

export type LoadState = (request: LoadRequest) => unknown;

/** One intent of the application to be in a group. A later one is another object. */
export interface Intent {
  /** Set when the application loads the state of the group before it joins. */
  readonly load: LoadState | undefined;
  /** Number of the newest messages to receive first, when there is no position. */
  readonly last?: number | undefined;
  readonly reason: LoadRequest['reason'];
  /**
   * The command that this client needs next when it is not a member: `group_info` for the position
   * to load from, then `add_group`; `undefined` while `load` runs.
   */
  next: 'group_info' | 'add_group' | undefined;
}

export type GroupCommand = Extract<ClientCommandBody['cmd'], 'add_group' | 'leave_group' | 'group_info'>;

/** A command that has no answer yet. */
export interface SentCommand {
  readonly cmd: GroupCommand;
  /** The intent when the command was sent. */
  readonly want: Intent | undefined;
  readonly since: Position | undefined;
}

/** The desired and the actual membership of this client in one group. */
export interface GroupState {
  /** The current intent; `undefined` to be out of the group. */
  want: Intent | undefined;
  /**
   * The intent for which the gateway made this client a member; `undefined` when it is not a
   * member. `unknown`: it may be a member, or is one without a known position.
   */
  have: Intent | 'unknown' | undefined;
  /** At most one command at a time. */
  inFlight: SentCommand | undefined;
}

/**
 * Returns the command that leads from what the gateway has to what is wanted; `undefined` when
 * there is nothing to send now.
 */
export function nextCommand({ want, have, inFlight }: GroupState): GroupCommand | undefined {
  if (inFlight || have === want) return undefined;
  // A membership of an earlier intent has the wrong position: it cannot be continued.
  return have ? 'leave_group' : want?.next;
}

/** Returns the result of a join, which asked for the messages after `since`, or the newest ones. */
export function recoveryOf(
  { recovered, reason, count }: Pick<AckEvent, 'recovered' | 'reason' | 'count'>,
  position: Position,
  since: Position | undefined,
): Joined {
  if (!since) {
    const before = positionOf({ ...position, offset: position.offset - (count ?? 0) });
    return { position: before ?? position, count };
  }
  const isSameEpoch = position.epoch === since.epoch;
  if (isSameEpoch && (recovered === true || position.offset === since.offset)) {
    return { position: since, recovered: true };
  }
  return { position, recovered: false, reason: reason ?? (isSameEpoch ? 'trimmed' : 'epoch_changed') };
}
