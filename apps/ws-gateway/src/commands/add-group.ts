import type { ClientCommand } from '@groupcast/protocol/schema';
import type { Member } from '../groups/member.ts';
import type { CommandDeps } from './command-context.ts';

/** Puts the client into a group, and gives it what it missed, if it asks for that. */
export function addGroup(
  command: Extract<ClientCommand, { cmd: 'add_group' }>,
  client: Member,
  context: CommandDeps,
): void {
  context.groups.join(client, command.group_id, command.id, command.since);
}
