import type { ClientCommand } from '@groupcast/protocol/schema';
import { ackEvent } from '../client-protocols/client-events.ts';
import type { Member } from '../groups/member.ts';
import type { CommandDeps } from './command-context.ts';

/** Shows that the client lives, and with an `id` that the gateway does. */
export function ping(
  command: Extract<ClientCommand, { cmd: 'ping' }>,
  client: Member,
  _context: CommandDeps,
): void {
  if (command.id !== undefined) client.sendEvent(ackEvent(command.id));
}
