import type { ClientCommand } from '@groupcast/protocol/schema';
import type { Member } from '../groups/member.ts';
import type { CommandContext } from './command-context.ts';

/** Takes the client out of a group. */
export function leaveGroup(
  command: Extract<ClientCommand, { cmd: 'leave_group' }>,
  client: Member,
  context: CommandContext,
): void {
  context.groups.leave(client, command.group_id, command.id);
}
