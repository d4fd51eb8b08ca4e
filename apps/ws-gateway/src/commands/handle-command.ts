import type { ClientCommand } from '@groupcast/protocol/schema';
import { ackEvent } from '../client-protocols/client-events.ts';
import type { HistoryFrom } from '../groups/hub-port.ts';
import type { Member } from '../groups/member.ts';
import { auth } from './auth.ts';
import type { CommandDeps } from './command-deps.ts';
import { groupInfo } from './group-info.ts';
import { history } from './history.ts';
import { manage } from './manage.ts';
import { refresh } from './refresh.ts';
import { resume } from './resume.ts';
import { publishToGroup } from './send-to-group.ts';

type AddGroup = Extract<ClientCommand, { cmd: 'add_group' }>;

/**
 * Executes a command of a client. `bytes` is the length of its message. Throws CommandError when
 * the command is rejected.
 */
export function handleCommand(
  command: ClientCommand,
  bytes: number,
  client: Member,
  deps: CommandDeps,
): void {
  if (client.isNew && command.cmd !== 'resume') deps.serverGroups.join(client);
  switch (command.cmd) {
    case 'add_group':
      deps.groups.join(client, command.group_id, command.id, startOf(command));
      break;
    case 'leave_group':
      deps.groups.leave(client, command.group_id, command.id);
      break;
    case 'send_to_group':
      publishToGroup(command, bytes, client, deps);
      break;
    case 'group_info':
      groupInfo(command, client, deps);
      break;
    case 'history':
      history(command, client, deps);
      break;
    case 'resume':
      resume(command, client, deps);
      break;
    case 'auth':
      auth(command.id, deps.refreshes !== undefined);
      break;
    case 'refresh':
      refresh(command.token, command.id, client, deps.refreshes);
      break;
    case 'kick':
    case 'ban':
    case 'unban':
      manage(command, client, deps);
      break;
    case 'ping':
      if (command.id !== undefined) client.sendEvent(ackEvent(command.id));
      break;
  }
}

/** Returns the start of the messages that a join replays. */
function startOf({ since, last }: AddGroup): HistoryFrom | undefined {
  return last === undefined ? since : { last };
}
