import type { Position } from '@groupcast/protocol';
import type { Group } from './group.ts';
import type { HistoryAnswer, HistoryPage, HistoryRead } from './hub-port.ts';
import type { Member } from './member.ts';

/** Who carries catch-ups on. */
export interface CatchUpDriver {
  pageArrived(catchUp: Recovery, page: HistoryPage): void;
  readFailed(catchUp: Recovery): void;
}

/**
 * One join with a position: how far its member has been given what it missed.
 *
 *     waiting -> reading <-> resting
 *        |          |           |
 *        +----------+-----------+-> over
 *
 * - `waiting`: the hub has not said yet where the group stands.
 * - `reading`: a page of history has been asked for.
 * - `resting`: until the next tick: the member has enough to read or has been given enough for now, or the group is not where history is.
 * - `over`: nothing lies between what the member got and what comes, so that it is a live member now; or it has gone.
 */
export class Recovery implements HistoryAnswer {
  readonly group: Group;
  readonly member: Member;
  /** Whether the join is to be undone when there is no first answer: somebody waits for it. */
  readonly hasId: boolean;
  state: 'waiting' | 'reading' | 'resting' | 'over' = 'waiting';
  /** Whether the client was told that it gets what it missed. */
  answered = false;
  /** Whether it rests because its connection has used up what recoveries may bring for now. */
  isThrottled = false;
  /** The last one that was asked for. */
  read: HistoryRead | undefined;
  /** The member has everything up to here. */
  cursor: Position;
  readonly #driver: CatchUpDriver;

  constructor(group: Group, member: Member, since: Position, hasId: boolean, driver: CatchUpDriver) {
    this.group = group;
    this.member = member;
    this.cursor = since;
    this.hasId = hasId;
    this.#driver = driver;
  }

  get isOver(): boolean {
    return this.state === 'over';
  }

  page(page: HistoryPage): void {
    if (!this.isOver) this.#driver.pageArrived(this, page);
  }

  failed(): void {
    if (!this.isOver) this.#driver.readFailed(this);
  }
}
