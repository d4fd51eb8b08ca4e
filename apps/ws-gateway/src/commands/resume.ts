import type { ClientCommand } from '@groupcast/protocol/schema';
import { CommandError } from '@groupcast/protocol/schema';
import { ackEvent } from '../client-protocols/client-events.ts';
import type { Member } from '../groups/member.ts';
import type { CommandDeps } from './command-deps.ts';

type Resume = Extract<ClientCommand, { cmd: 'resume' }>;

/** Joins the groups of the server after the positions that the client has in them. */
export function resume(command: Resume, client: Member, { serverGroups }: CommandDeps): void {
  const { id } = command;
  const positions = new Map(Object.entries(command.positions));
  const reject = (sentence: string): never => {
    throw new CommandError('bad_field', sentence, id);
  };
  if (!client.protocol.resumes) reject('cmd resume needs the subprotocol groupcast.v1.');
  if (!client.isNew) reject('cmd resume must be the first command. Use add_group with since.');
  const { positionsMax } = serverGroups;
  if (positions.size > positionsMax)
    reject(`positions has ${positions.size} groups. At most ${positionsMax} are allowed.`);
  if (id !== undefined) client.sendEvent(ackEvent(id));
  serverGroups.join(client, positions);
}
