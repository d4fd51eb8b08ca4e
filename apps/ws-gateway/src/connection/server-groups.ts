import { groupNameOf, limits, type Position, ProtocolError } from '@groupcast/protocol';
import type { Groups } from '../groups/groups.ts';
import type { Member } from '../groups/member.ts';
import type { GatewayOptions } from '../options.ts';
import { NOT_WAITING, type Timed } from '../timing-wheel.ts';

type ServerGroupsOptions = Pick<
  GatewayOptions,
  'groupsOnConnect' | 'resumeWaitMs' | 'groupsPerConnectionMax' | 'wheel'
>;

type Positions = ReadonlyMap<string, Position>;

const NO_POSITIONS: Positions = new Map();

/** Groups that wait for the first command of their client. */
interface Waiting extends Timed {
  readonly names: readonly string[];
}

/**
 * Joins the groups of the server for new clients. A client that may send `resume` has some time for
 * it, and joins with its positions. Has state only for clients that wait.
 */
export class ServerGroups {
  readonly #options: ServerGroupsOptions;
  readonly #groups: Groups;
  readonly #waiting = new Map<Member, Waiting>();

  constructor(options: ServerGroupsOptions, groups: Groups) {
    this.#options = options;
    this.#groups = groups;
  }

  /** Maximum positions of a `resume`. */
  get positionsMax(): number {
    return this.#options.groupsPerConnectionMax;
  }

  /**
   * Begins for a new client, with the groups of the program and the channel of its user. Throws
   * what `groupsOnConnect` throws, and for an invalid name.
   */
  open(member: Member, address: string): void {
    const { groupsOnConnect, resumeWaitMs, wheel } = this.#options;
    const { identity, protocol } = member;
    if (groupsOnConnect === undefined && identity === undefined) return;
    const names =
      groupsOnConnect?.({ id: member.id, protocol: protocol.name, address }).map(checkedName) ?? [];
    if (identity !== undefined) names.push(limits.USER_GROUP);
    if (names.length === 0) return;
    const waiting: Waiting = { names, wheelSlot: NOT_WAITING, expired: () => this.join(member) };
    this.#waiting.set(member, waiting);
    // A tick may be about to end: one more, so that the client has the whole time.
    if (protocol.resumes && resumeWaitMs > 0) wheel.schedule(waiting, wheel.ticksOf(resumeWaitMs) + 1);
    else this.join(member);
  }

  /** Joins the groups of a client that waits, with the positions that it has sent. */
  join(member: Member, positions: Positions = NO_POSITIONS): void {
    const waiting = this.#waiting.get(member);
    if (waiting === undefined) return;
    this.forget(member);
    for (const name of waiting.names) this.#groups.joinByServer(member, name, positions.get(name));
  }

  /** Forgets a client that has gone. */
  forget(member: Member): void {
    const waiting = this.#waiting.get(member);
    if (waiting === undefined) return;
    this.#waiting.delete(member);
    this.#options.wheel.cancel(waiting);
  }
}

/** Returns the name of a group. Throws ProtocolError `invalid_group`. */
export function checkedName(name: string): string {
  const checked = groupNameOf(name);
  if (checked !== undefined && checked !== limits.USER_GROUP) return checked;
  throw new ProtocolError('invalid_group');
}
