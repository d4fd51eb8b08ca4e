import type { ClientCommand } from '@groupcast/protocol/schema';
import { ackEvent } from '../client-protocols/client-events.ts';
import type { Member } from '../groups/member.ts';
import { Questions } from '../groups/questions.ts';
import type { CommandDeps } from './command-context.ts';

type GroupInfo = Extract<ClientCommand, { cmd: 'group_info' }>;

/** Tells where a group stands, whether or not the client is in it. */
export function groupInfo(command: GroupInfo, client: Member, context: CommandDeps): void {
  const { id, group_id: name } = command;
  if (id === undefined) return;
  const position = context.groups.positionOf(name);
  if (position !== undefined) client.sendEvent(ackEvent(id, name, position));
  // What has come to the group before may have closed it.
  else if (client.isOpen) (client.questions ?? new Questions(client, context)).add(name, id);
}
