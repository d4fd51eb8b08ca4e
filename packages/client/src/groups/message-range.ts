import type { Position } from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import { HISTORY_MESSAGES_MAX } from '../limits.ts';
import { badOption, checkWhole } from '../options.ts';

/** Selects earlier messages. */
export interface MessageRange {
  /**
   * A stored position: the messages after it. `null` stands for no position, as a storage returns
   * it at the first visit.
   */
  readonly since?: Position | null | undefined;
  /** Number of the newest messages, 1 to 1,000. Not together with `since`. */
  readonly last?: number | undefined;
}

/** A range with a valid position or number, or neither. */
export interface CheckedRange {
  readonly since?: Position;
  readonly last?: number | undefined;
}

/** Checks a range. Throws a GroupcastError `bad_option`. */
export function checkedRange({ since, last }: MessageRange): CheckedRange {
  checkWhole('last', last, HISTORY_MESSAGES_MAX);
  if (since === undefined || since === null) return { last };
  const position = positionOf(since);
  if (!position) throw badOption('since must be a position or null.');
  if (last) throw badOption('Use since or last.');
  return { since: position };
}
