import type { ClientCommand } from '@groupcast/protocol/schema';
import type { Member } from '../groups/member.ts';
import type { CommandDeps } from './command-context.ts';

/** Takes the client out of a group. */
export function leaveGroup(
  command: Extract<ClientCommand, { cmd: 'leave_group' }>,
  client: Member,
  context: CommandDeps,
): void {
  context.groups.leave(client, command.group_id, command.id);
}
