import type { ClientCommand } from '@groupcast/protocol/schema';
import { ackEvent } from '../client-protocols/client-events.ts';
import type { Member } from '../groups/member.ts';
import type { CommandDeps } from './command-deps.ts';

type GroupInfo = Extract<ClientCommand, { cmd: 'group_info' }>;

/** Replies with the position of a group. The client need not be in it. */
export function groupInfo(command: GroupInfo, client: Member, deps: CommandDeps): void {
  const { id, group_id: name } = command;
  if (id === undefined) return;
  const position = deps.groups.positionOf(name);
  if (position !== undefined) client.sendEvent(ackEvent(id, name, position));
  // Pending messages of the group were delivered first, which may have closed the client.
  else if (client.isOpen) deps.positionRequests.add(client, name, id);
}
