import type { ClientCommand } from '@groupcast/protocol/schema';
import type { Member } from '../groups/member.ts';
import { addGroup } from './add-group.ts';
import type { CommandDeps } from './command-context.ts';
import { groupInfo } from './group-info.ts';
import { leaveGroup } from './leave-group.ts';
import { ping } from './ping.ts';
import { sendToGroup } from './send-to-group.ts';

/** Does what a client asked, in a message of so many bytes. Throws CommandError when it may not be done. */
export function handleCommand(
  command: ClientCommand,
  bytes: number,
  client: Member,
  context: CommandDeps,
): void {
  switch (command.cmd) {
    case 'add_group':
      addGroup(command, client, context);
      break;
    case 'leave_group':
      leaveGroup(command, client, context);
      break;
    case 'send_to_group':
      sendToGroup(command, bytes, client, context);
      break;
    case 'group_info':
      groupInfo(command, client, context);
      break;
    case 'ping':
      ping(command, client, context);
      break;
  }
}
