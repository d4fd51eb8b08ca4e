import type { Position } from '@groupcast/protocol';
import type { Groups } from '../groups/groups.ts';
import type { HistoryPage, HistoryRead, HubPort } from '../groups/hub-port.ts';
import type { Member } from '../groups/member.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import { channelFor } from '../users/user-channel.ts';

/** Position in no history: the hub returns the position of the channel, and no publications. */
const NOWHERE: Position = { epoch: '-', offset: 0 };

export interface PositionReadsDeps {
  readonly hub: HubPort;
  readonly groups: Groups;
  readonly wheel: TimingWheel;
  /** Longest time for the hub, in milliseconds. */
  readonly welcomeMs: number;
}

/**
 * Reads the positions of groups for a welcome, those of the groups of this worker at once.
 * Positions that the hub does not tell in time are missing.
 */
export class PositionReads implements Timed {
  wheelSlot: number = NOT_WAITING;
  readonly positions: Map<string, Position> = new Map();
  readonly #deps: PositionReadsDeps;
  readonly #done: () => void;
  readonly #reads: HistoryRead[] = [];
  #pending = 0;
  #isOver = false;

  /** `done` is called at the end, unless the reads are canceled. */
  constructor(deps: PositionReadsDeps, done: () => void) {
    this.#deps = deps;
    this.#done = done;
  }

  /** Reads the positions of these groups for a member. The end may come before it returns. */
  start(member: Member, names: readonly string[]): void {
    const { wheel, welcomeMs } = this.#deps;
    wheel.schedule(this, wheel.ticksOf(welcomeMs));
    this.#pending = names.length;
    for (const name of names) this.#read(member, name);
    if (names.length === 0) this.#end();
  }

  expired(): void {
    this.#end();
  }

  cancel(): void {
    this.#isOver = true;
    this.#deps.wheel.cancel(this);
    for (const read of this.#reads) read.cancel();
  }

  #read(member: Member, name: string): void {
    const channel = channelFor(member, name);
    const known = this.#deps.groups.positionOf(name, channel);
    if (known !== undefined) {
      this.#settle(name, known);
      return;
    }
    const answer = {
      page: ({ position }: HistoryPage): void => this.#settle(name, position),
      // The group is joined later, and told then.
      failed: (): void => this.#settle(name, undefined),
    };
    if (!this.#isOver) this.#reads.push(this.#deps.hub.history(channel, NOWHERE, answer, member));
  }

  #settle(name: string, position: Position | undefined): void {
    if (this.#isOver) return;
    if (position !== undefined) this.positions.set(name, position);
    this.#pending -= 1;
    if (this.#pending === 0) this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.cancel();
    this.#done();
  }
}
