import {
  channelOfGroup,
  type ErrorCode,
  isSystemGroup,
  type native,
  type Position,
  type ProtocolError,
} from '@groupcast/protocol';
import { CommandError, type CommandId } from '@groupcast/protocol/schema';
import type { Counters } from '../admin/gateway-stats.ts';
import { type AllNamespaceRules, NO_NAMESPACES } from '../auth/namespace-rules.ts';
import type { Permissions, Refusal } from '../auth/permissions.ts';
import {
  ackEvent,
  gapEvent,
  groupErrorEvent,
  groupForbiddenEvent,
  joinedEvent,
} from '../client-protocols/client-events.ts';
import type { ClientLog } from '../connection/client-log.ts';
import type { GatewayOptions } from '../options.ts';
import { channelFor, userChannelOf } from '../users/user-channel.ts';
import { FanOut } from './fan-out.ts';
import type { Group } from './group.ts';
import { byteRatesOf, GroupLoads } from './group-loads.ts';
import type { HistoryFrom, HubSubscriber, LossReason } from './hub-port.ts';
import { Join, type JoinDeps } from './join.ts';
import type { Member } from './member.ts';
import { MemberMap } from './member-map.ts';
import { MessageLoads } from './message-loads.ts';
import { RecoveryBudget } from './recovery-budget.ts';
import { rejectCommand } from './reject-command.ts';
import { SubscribedGroups } from './subscribed-groups.ts';

/** Reason of `removed` for a client that may no longer be in a group. */
const PERMISSION = 'permission';

const NO_IDS: readonly CommandId[] = [];

const TOO_MANY_JOINS = 'Too many joins of this connection wait for the hub. Join again later.';

const LEFT_BEFORE_JOINED = 'The group was left before the hub had confirmed the join.';

const REMOVED_BEFORE_JOINED = 'The server removed this client before the hub had confirmed the join.';

/**
 * The groups of a worker: their members, and the way of a publication to them. The first member of
 * a group subscribes at the hub. Some time after the last one has left, the group is unsubscribed.
 *
 * A join without earlier messages makes a live member at once. It gets the messages after the
 * position that the hub tells. A join with earlier messages begins a recovery: the member is live
 * at its end, and counts as a member in every other respect until then.
 */
export class Groups implements HubSubscriber {
  readonly #counters: Counters;
  readonly #permissions: Permissions;
  readonly #clientLog: ClientLog | undefined;
  readonly #groupsMax: number;
  readonly #subscribed: SubscribedGroups;
  readonly #fanOut: FanOut;
  readonly #joins: MemberMap<Join> = new MemberMap();
  readonly #joinDeps: JoinDeps;
  /** Undefined where groups have no byte limit. */
  readonly #byteLoads: GroupLoads | undefined;
  readonly #messageLoads: MessageLoads;

  constructor(
    options: GatewayOptions,
    counters: Counters,
    permissions: Permissions,
    clientLog?: ClientLog,
    rules: () => AllNamespaceRules = () => NO_NAMESPACES,
  ) {
    const { hub, wheel, recoveryMessagesMax } = options;
    this.#counters = counters;
    this.#permissions = permissions;
    this.#clientLog = clientLog;
    this.#groupsMax = options.groupsPerConnectionMax;
    this.#subscribed = new SubscribedGroups(options, this);
    const hasByteRate = options.groupBytesPerSecond > 0;
    this.#byteLoads = hasByteRate ? new GroupLoads(byteRatesOf(options), 'byteLoad') : undefined;
    this.#messageLoads = new MessageLoads(options.workers, rules);
    this.#fanOut = new FanOut(options, counters, this.#byteLoads, this.#messageLoads);
    this.#joinDeps = {
      hub,
      wheel,
      counters,
      fanOut: this.#fanOut,
      budget: new RecoveryBudget(options),
      joins: this.#joins,
      // A tick expires over its whole length: one less, so that no join waits for more than
      // `joinMs`.
      joinTicks: Math.max(1, wheel.ticksOf(options.joinMs) - 1),
      recoveryMessagesMax,
      undo: ({ group, member }, code, sentence) =>
        this.#rejectAll(member, this.#remove(group, member), code, sentence),
      removeIfForbidden: ({ group, member }) => this.#removeIfForbidden(group, member),
    };
  }

  /** Number of groups that are subscribed at the hub. */
  get size(): number {
    return this.#subscribed.size;
  }

  /** Number of users whose channel is subscribed at the hub. */
  get users(): number {
    return this.#subscribed.users;
  }

  /** Number of members that are getting what they missed. */
  get recovering(): number {
    return this.#joins.count(({ isRecovery }) => isRecovery);
  }

  /**
   * Adds a member to a group. With `from` it gets the messages from there on first. With `id` it
   * gets an ack with the position after which it gets every message, or an error when the hub does
   * not answer in time. Throws CommandError when the member may not join, or not with what it
   * missed, and when its group limit is reached.
   */
  join(member: Member, name: string, id: CommandId | undefined, from?: HistoryFrom): void {
    this.#permissions.checkJoin(member, name, from !== undefined, id);
    const channel = channelOfGroup(name);
    // Messages before the join are not for this member, and precede the ack if it joins again. A
    // delivery may close members, this one too, and so unsubscribe groups: look it up afterwards.
    this.deliverPending(name);
    if (!member.isOpen) return;
    const known = this.#subscribed.find(channel);
    const join = known && this.#joins.get(known, member);
    const isNew = known === undefined || !this.#isIn(known, member);
    if (isNew && member.memberships.length >= this.#groupsMaxOf(member)) {
      throw new CommandError('group_limit', undefined, id);
    }
    const isRecovery = isNew && from !== undefined;
    // Known for members of a live group, unless an earlier join is pending.
    const position = known?.state !== 'live' || isRecovery ? undefined : (join ?? known).position;
    if (id !== undefined && position === undefined && member.pendingCommands >= this.#groupsMax) {
      rejectCommand(this.#counters, member, id, 'hub_unavailable', TOO_MANY_JOINS);
      return;
    }
    const group = known ?? this.#subscribed.subscribe(name, channel);
    if (isNew) this.#enter(group, member, !isRecovery);
    if (id !== undefined && position !== undefined) {
      member.sendEvent(ackEvent(id, name, position));
    } else if (id !== undefined || isRecovery) {
      const pending = join ?? new Join(group, member, isRecovery ? from : undefined, this.#joinDeps);
      if (id !== undefined) pending.add(id, isNew);
      if (isRecovery && group.state === 'live') pending.groupIsLive();
    }
  }

  /**
   * Adds a member to a group that its token names, as `joinByServer` does. Tells it if it may not
   * join, or not with what it missed.
   */
  joinByToken(member: Member, name: string, since?: Position, isTold = true): boolean {
    const refusal = this.#permissions.joinRefusal(member, name, since !== undefined);
    if (refusal === undefined) return this.#joinByServer(member, name, since, isTold, false);
    this.#counters.rejected.forbidden += 1;
    member.sendEvent(groupForbiddenEvent(name, refusal));
    return false;
  }

  /**
   * Adds a member to a group on behalf of the program around the gateway, without a limit, and
   * tells it. `USER_GROUP` is the channel of its user, which is no membership. With `since` it gets
   * the messages after that position first; without `isTold` it knows that it is in the group after
   * that position. Returns false if it is in the group already. No permission is asked, now and
   * later: who joins is the program's decision.
   */
  joinByServer(member: Member, name: string, since?: Position, isTold = true): boolean {
    return this.#joinByServer(member, name, since, isTold, true);
  }

  #joinByServer(
    member: Member,
    name: string,
    since: Position | undefined,
    isTold: boolean,
    byProgram: boolean,
  ): boolean {
    const channel = channelFor(member, name);
    const found = this.#subscribed.find(channel);
    if (found !== undefined) this.#fanOut.deliverPending(found);
    const known = this.#subscribed.find(channel);
    if (!member.isOpen) return false;
    const group = known ?? this.#subscribed.subscribe(name, channel);
    if (byProgram) this.#keepInGroup(group, member);
    if (this.#isIn(group, member)) return false;
    this.#enter(group, member, since === undefined);
    if (group.state === 'live' && since === undefined) {
      member.sendEvent(joinedEvent(name, group.position));
      return true;
    }
    const join = new Join(group, member, since, this.#joinDeps, isTold);
    if (group.state === 'live') join.groupIsLive();
    return true;
  }

  /**
   * Removes a member from a group on behalf of the server, and tells it. Returns whether it was in
   * the group.
   */
  removeByServer(member: Member, name: string, reason: string): boolean {
    if (!this.#removeFrom(member, name)) return false;
    member.sendEvent({ type: 'removed', group_id: name, reason });
    return true;
  }

  /** Removes a member from a group on behalf of a moderator, and tells it in both modes. */
  removeByModerator(member: Member, name: string, reason: string): void {
    if (!this.#removeFrom(member, name)) return;
    if (member.sendEvent({ type: 'removed', group_id: name, reason })) return;
    this.#counters.rejected.forbidden += 1;
    member.sendEvent(groupForbiddenEvent(name, { operation: 'join', sentence: reason }));
  }

  /** Removes a member from the groups that it may no longer be in, and tells it. */
  removeForbidden(member: Member): void {
    for (const channel of [...member.memberships]) {
      const group = this.#subscribed.find(channel);
      // To tell it about a group may close it.
      if (group !== undefined && this.#isIn(group, member)) this.#removeIfForbidden(group, member);
    }
  }

  /** Removes a member from a group, if it is in it. With an `id` it gets an ack in both cases. */
  leave(member: Member, name: string, id: CommandId | undefined): void {
    const group = this.#subscribed.find(channelOfGroup(name));
    if (group !== undefined && this.#isIn(group, member)) {
      // Messages before the leave are still for this member.
      this.#fanOut.deliverPending(group);
      // A delivery may end the membership.
      if (this.#isIn(group, member))
        this.#rejectAll(member, this.#remove(group, member), 'hub_unavailable', LEFT_BEFORE_JOINED);
    }
    if (id !== undefined) member.sendEvent(ackEvent(id, name));
  }

  /**
   * Removes a member that is closing from all its groups, without replies to its pending commands.
   */
  leaveAll(member: Member): void {
    const channels = member.memberships.splice(0);
    const ofUser = userChannelOf(member);
    if (ofUser !== undefined) channels.push(ofUser);
    for (const channel of channels) {
      const group = this.#subscribed.find(channel);
      if (group !== undefined && this.#isIn(group, member)) this.#remove(group, member);
    }
    this.#subscribed.forget(member);
  }

  /**
   * Charges a group for a message of `bytes` that a client publishes to it. Returns whether its
   * limits allow it, or which one does not.
   */
  charge(name: string, bytes: number): 'ok' | 'bytes' | 'messages' {
    const channel = channelOfGroup(name);
    const group = this.#subscribed.find(channel);
    const nowMs = performance.now();
    if (this.#messageLoads.publish(name, channel, group, nowMs) !== 'ok') return 'messages';
    const verdict = this.#byteLoads?.publish(channel, group, bytes, nowMs) ?? 'ok';
    return verdict === 'ok' ? 'ok' : 'bytes';
  }

  /** Delivers the pending messages of a group, so that later writes follow them. */
  deliverPending(name: string): void {
    const group = this.#subscribed.find(channelOfGroup(name));
    if (group !== undefined) this.#fanOut.deliverPending(group);
  }

  /** Returns the position of a live group, with all messages up to it delivered. */
  positionOf(name: string, channel: string = channelOfGroup(name)): Position | undefined {
    const group = this.#subscribed.find(channel);
    if (group?.state !== 'live') return undefined;
    this.#fanOut.deliverPending(group);
    return group.position;
  }

  /** Delivers a publication of the hub to the members of its group, at the end of this turn. */
  deliver(publication: native.Publication): void {
    this.#counters.publications += 1;
    const group = this.#subscribed.find(publication.channel);
    if (group === undefined || group.state !== 'live') {
      this.#counters.dropped.not_followed += 1;
      return;
    }
    // The handle still has the position before this publication. An ephemeral one takes no offset.
    const { offset } = group.subscription;
    if (publication.number <= offset && !(publication.ephemeral && publication.number === offset)) {
      this.#counters.dropped.repeated += 1;
      return;
    }
    this.#fanOut.deliver(group, publication);
  }

  /** Receives the start of a subscription: the group has a position, and is live. */
  subscribed(subject: native.Subject): void {
    const group = this.#groupOf(subject);
    if (group === undefined || group.state === 'live') return;
    group.state = 'live';
    // These joins had to wait.
    if (!this.#permissions.areFixed)
      for (const member of this.#membersOf(group)) this.#removeIfForbidden(group, member);
    for (const join of this.#joins.of(group)?.values() ?? []) join.groupIsLive();
  }

  /**
   * Receives the loss of publications, and tells the live members. Recoveries detect it themselves.
   */
  lost(subject: native.Subject, position: Position, reason: LossReason): void {
    const group = this.#groupOf(subject);
    if (group?.state !== 'live') return;
    this.#fanOut.deliverPending(group);
    const event = gapEvent(group.name, reason, position);
    for (const member of group.members) {
      if (member.sendEvent(event)) this.#counters.gaps += 1;
    }
  }

  /** Receives the rejection of a subscription, and removes and tells all members. */
  rejected(subject: native.Subject, error: ProtocolError): void {
    const group = this.#groupOf(subject);
    if (group === undefined) return;
    // For any other error of the hub, clients learn that the hub is unavailable.
    const code = error.code === 'channel_limit' ? 'channel_limit' : 'hub_unavailable';
    this.#fanOut.deliverPending(group);
    for (const member of this.#membersOf(group)) {
      if (this.#isIn(group, member)) this.#expel(group, member, code);
    }
    this.#subscribed.unsubscribe(group);
  }

  /** Unsubscribes every group at once. All members must have left. */
  close(): void {
    this.#subscribed.close();
  }

  /** Removes a member from a group, after the messages before. Returns whether it was in it. */
  #removeFrom(member: Member, name: string): boolean {
    this.deliverPending(name);
    const group = this.#subscribed.find(channelOfGroup(name));
    if (group === undefined || !this.#isIn(group, member)) return false;
    this.#rejectAll(member, this.#remove(group, member), 'hub_unavailable', REMOVED_BEFORE_JOINED);
    return true;
  }

  #groupsMaxOf({ identity }: Member): number {
    return Math.min(this.#groupsMax, identity?.limits.groups ?? this.#groupsMax);
  }

  #groupOf({ name, prefix }: native.Subject): Group | undefined {
    return prefix ? undefined : this.#subscribed.find(name);
  }

  #keepInGroup(group: Group, member: Member): void {
    if (this.#permissions.areFixed || isKept(group, member)) return;
    group.addedByProgram ??= new Set();
    group.addedByProgram.add(member);
  }

  /** Returns the members of a group, with those whose join is pending. */
  #membersOf(group: Group): ReadonlySet<Member> {
    return new Set([...group.members, ...(this.#joins.of(group)?.keys() ?? [])]);
  }

  /** Returns whether a member is in a group, with a pending join too. */
  #isIn(group: Group, member: Member): boolean {
    return group.members.has(member) || this.#joins.get(group, member) !== undefined;
  }

  #enter(group: Group, member: Member, isLive: boolean): void {
    if (isLive) group.members.add(member);
    this.#subscribed.cancelLinger(group);
    if (group.isOfUser) return;
    member.memberships.push(group.channel);
    this.#counters.joins += 1;
    this.#clientLog?.joined(member, group.name);
  }

  /** Removes a member. Returns the ids of its commands that wait for the end of its join. */
  #remove(group: Group, member: Member): readonly CommandId[] {
    const join = this.#joins.get(group, member);
    join?.end();
    group.members.delete(member);
    group.addedByProgram?.delete(member);
    if (!group.isOfUser) this.#left(group, member);
    if (group.members.size === 0 && this.#joins.of(group) === undefined) {
      group.takePending();
      this.#subscribed.linger(group, member);
    }
    return join?.takeIds() ?? NO_IDS;
  }

  #left(group: Group, member: Member): void {
    const index = member.memberships.indexOf(group.channel);
    if (index >= 0) member.memberships.splice(index, 1);
    this.#counters.leaves += 1;
    this.#clientLog?.left(member, group.name);
  }

  /** Removes a member from a group that the hub rejects, and tells it. */
  #expel(group: Group, member: Member, code: 'channel_limit' | 'hub_unavailable'): void {
    const ids = this.#remove(group, member);
    this.#rejectAll(member, ids, code);
    if (ids.length > 0) return;
    this.#counters.rejected[code] += 1;
    member.sendEvent(groupErrorEvent(code, group.name));
  }

  /**
   * Removes a member from a group if it may no longer be in it, and tells it. Returns whether it
   * has removed it.
   */
  #removeIfForbidden(group: Group, member: Member): boolean {
    if (this.#permissions.areFixed || isKept(group, member)) return false;
    const isRecovery = this.#joins.get(group, member)?.isRecovery === true;
    const refusal = this.#permissions.joinRefusal(member, group.name, isRecovery);
    if (refusal === undefined) return false;
    this.#tellForbidden(group.name, member, this.#remove(group, member), refusal);
    return true;
  }

  /** Tells a member that it was removed: in the replies to `ids`, or without a command. */
  #tellForbidden(name: string, member: Member, ids: readonly CommandId[], refusal: Refusal): void {
    const { operation, sentence } = refusal;
    for (const id of ids) rejectCommand(this.#counters, member, id, 'forbidden', sentence, operation);
    if (ids.length > 0) return;
    if (member.sendEvent({ type: 'removed', group_id: name, reason: PERMISSION })) return;
    this.#counters.rejected.forbidden += 1;
    member.sendEvent(groupForbiddenEvent(name, refusal));
  }

  #rejectAll(member: Member, ids: readonly CommandId[], code: ErrorCode, sentence?: string): void {
    for (const id of ids) rejectCommand(this.#counters, member, id, code, sentence);
  }
}

/** Returns whether a member is in a group by a decision of the program around the gateway. */
function isKept(group: Group, member: Member): boolean {
  // Only the program joins system groups.
  return isSystemGroup(group.name) || group.addedByProgram?.has(member) === true;
}
