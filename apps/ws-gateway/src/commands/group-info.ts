import type { Position } from '@groupcast/protocol';
import type { ClientCommand } from '@groupcast/protocol/schema';
import { ackEvent } from '../client-protocols/client-events.ts';
import type { Member } from '../groups/member.ts';
import type { CommandDeps } from './command-deps.ts';

type GroupInfo = Extract<ClientCommand, { cmd: 'group_info' }>;

/** Position in no history: the hub returns the position of the channel, and no publications. */
const NOWHERE: Position = { epoch: '-', offset: 0 };

/** Replies with the position of a group. The client need not be in it. */
export function groupInfo(command: GroupInfo, client: Member, deps: CommandDeps): void {
  const { id, group_id: groupName } = command;
  deps.permissions.check(client, 'info', groupName, id);
  if (id === undefined) return;
  const reply = (position: Position): void => {
    client.sendEvent(ackEvent(id, groupName, position));
  };
  const known = deps.groups.positionOf(groupName);
  if (known !== undefined) {
    reply(known);
  } else if (client.isOpen) {
    // Pending messages of the group were delivered first, which may have closed the client.
    deps.pageRequests.add(client, {
      id,
      groupName,
      operation: 'info',
      from: NOWHERE,
      reply: ({ position }) => reply(position),
    });
  }
}
