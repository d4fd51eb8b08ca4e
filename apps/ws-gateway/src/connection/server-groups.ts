import { groupNameOf, limits, type Position, ProtocolError } from '@groupcast/protocol';
import type { JoinedPosition } from '@groupcast/protocol/schema';
import type { Permissions } from '../auth/permissions.ts';
import type { Groups } from '../groups/groups.ts';
import type { Member } from '../groups/member.ts';
import type { GatewayOptions } from '../options.ts';
import { NOT_WAITING, type Timed } from '../timing-wheel.ts';
import { PositionReads } from './position-reads.ts';

type ServerGroupsOptions = Pick<
  GatewayOptions,
  'groupsOnConnect' | 'resumeWaitMs' | 'groupsPerConnectionMax' | 'welcomeMs' | 'hub' | 'wheel'
>;

type Positions = ReadonlyMap<string, Position>;

const NO_POSITIONS: Positions = new Map();

/** Groups of the server in the welcome, as far as their positions are known. */
export interface WelcomePositions {
  readonly joined?: readonly JoinedPosition[];
  readonly user?: Position;
}

/** Source of a join. For `token`, the client needs the permission. */
type Joiner = 'program' | 'token';

/** Groups that wait for the welcome, and then for the first command of their client. */
interface Waiting extends Timed {
  readonly names: ReadonlyMap<string, Joiner>;
  /** Has the positions that the welcome tells. */
  readonly reads: PositionReads;
}

/**
 * Joins the groups of the server for new clients: the channel of the user, groups of the program,
 * and those that the token names. The welcome tells their positions. A client that may send
 * `resume` has some time for it, and joins with its own positions. Has state only for clients that
 * wait.
 */
export class ServerGroups {
  readonly #options: ServerGroupsOptions;
  readonly #groups: Groups;
  readonly #permissions: Permissions;
  readonly #waiting = new Map<Member, Waiting>();

  constructor(options: ServerGroupsOptions, groups: Groups, permissions: Permissions) {
    this.#options = options;
    this.#groups = groups;
    this.#permissions = permissions;
  }

  /** Maximum positions of a `resume`. */
  get positionsMax(): number {
    return this.#options.groupsPerConnectionMax;
  }

  /**
   * Begins for a new client. Calls `done`, perhaps at once, when the positions for the welcome are
   * known. Throws what `groupsOnConnect` throws, and for an invalid name.
   */
  begin(member: Member, address: string, done: () => void): void {
    this.forget(member);
    const names = this.#namesFor(member, address);
    if (names.size === 0) {
      done();
      return;
    }
    const reads = new PositionReads({ ...this.#options, groups: this.#groups }, done);
    const waiting = { names, reads, wheelSlot: NOT_WAITING, expired: () => this.join(member) };
    this.#waiting.set(member, waiting);
    reads.start(member, this.#namesForWelcome(member, names));
  }

  /** Returns the positions for the welcome of a client. */
  positionsFor(member: Member): WelcomePositions {
    const waiting = this.#waiting.get(member);
    if (waiting === undefined) return {};
    const { positions } = waiting.reads;
    const user = positions.get(limits.USER_GROUP);
    const joined = [...positions]
      .filter(([name]) => name !== limits.USER_GROUP)
      .map(([name, { epoch, offset }]) => ({ group_id: name, epoch, offset }));
    return { ...(joined.length === 0 ? {} : { joined }), ...(user === undefined ? {} : { user }) };
  }

  /** Joins the groups of a client that has its welcome, or waits for its `resume` before. */
  welcomed(member: Member): void {
    const waiting = this.#waiting.get(member);
    if (waiting === undefined) return;
    const { resumeWaitMs, wheel } = this.#options;
    // A tick may be about to end: one more, so that the client has the whole time.
    if (member.protocol.resumes && resumeWaitMs > 0) wheel.schedule(waiting, wheel.ticksOf(resumeWaitMs) + 1);
    else this.join(member);
  }

  /** Joins the groups of a client that waits, with the positions that it has sent. */
  join(member: Member, positions: Positions = NO_POSITIONS): void {
    const waiting = this.#waiting.get(member);
    if (waiting === undefined) return;
    this.forget(member);
    const told = waiting.reads.positions;
    for (const [name, joiner] of waiting.names) {
      const own = positions.get(name);
      // The client knows that it is in a group of its welcome, and gets the later messages.
      const since = own ?? told.get(name);
      const isTold = own !== undefined || since === undefined;
      if (joiner === 'program') this.#groups.joinByServer(member, name, since, isTold);
      else this.#groups.joinByToken(member, name, since, isTold);
    }
  }

  /** Forgets a client that has gone. */
  forget(member: Member): void {
    const waiting = this.#waiting.get(member);
    if (waiting === undefined) return;
    this.#waiting.delete(member);
    waiting.reads.cancel();
    this.#options.wheel.cancel(waiting);
  }

  #namesFor(member: Member, address: string): ReadonlyMap<string, Joiner> {
    const { groupsOnConnect } = this.#options;
    const { identity } = member;
    const names = new Map<string, Joiner>(identity?.groups.map((name) => [name, 'token']));
    if (identity !== undefined) names.set(limits.USER_GROUP, 'program');
    if (groupsOnConnect === undefined) return names;
    const client = { id: member.id, uid: identity?.uid, protocol: member.protocol.name, address };
    for (const name of groupsOnConnect(client)) names.set(checkedName(name), 'program');
    return names;
  }

  /**
   * Returns the groups that the welcome tells: those that the client may recover, because it joins
   * them later. Other protocols have no welcome.
   */
  #namesForWelcome(member: Member, names: ReadonlyMap<string, Joiner>): readonly string[] {
    if (!member.protocol.resumes) return [];
    return [...names]
      .filter(([name, joiner]) => joiner === 'program' || this.#mayRecover(member, name))
      .map(([name]) => name);
  }

  #mayRecover(member: Member, name: string): boolean {
    return this.#permissions.joinRefusal(member, name, true) === undefined;
  }
}

/** Returns the name of a group. Throws ProtocolError `invalid_group`. */
export function checkedName(name: string): string {
  const checked = groupNameOf(name);
  if (checked !== undefined && checked !== limits.USER_GROUP) return checked;
  throw new ProtocolError('invalid_group');
}
