import { channelOfGroup, channelOfUser, limits } from '@groupcast/protocol';
import type { Member } from '../groups/member.ts';

/** Returns the channel of a member's user. Undefined without a user. */
export function userChannelOf({ identity }: Pick<Member, 'identity'>): string | undefined {
  return identity === undefined ? undefined : channelOfUser(identity.uid);
}

/** Returns the channel that a name means for a member: `USER_GROUP` is the channel of its user. */
export function channelFor(member: Pick<Member, 'identity'>, groupName: string): string {
  const channel = groupName === limits.USER_GROUP ? userChannelOf(member) : undefined;
  return channel ?? channelOfGroup(groupName);
}
