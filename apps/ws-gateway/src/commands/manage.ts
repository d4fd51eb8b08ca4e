import { ProtocolError } from '@groupcast/protocol';
import { type ClientCommand, CommandError } from '@groupcast/protocol/schema';
import { ackEvent } from '../client-protocols/client-events.ts';
import type { Member } from '../groups/member.ts';
import { rejectCommand } from '../groups/reject-command.ts';
import { NO_TOKENS } from './auth.ts';
import type { CommandDeps } from './command-deps.ts';

type Manage = Extract<ClientCommand, { cmd: 'kick' | 'ban' | 'unban' }>;

/** Author of what a client without a token does, where its namespace allows that. */
const ANONYMOUS = 'anonymous';

/**
 * Executes a command that manages the members of a group through the hub, and replies when the hub
 * has it. Throws CommandError when the client may not.
 */
export function manage(command: Manage, client: Member, deps: CommandDeps): void {
  const { id, group_id: groupName } = command;
  const { permissions, counters, log, refreshes } = deps;
  if (refreshes === undefined) throw new CommandError('unauthorized', NO_TOKENS, id);
  permissions.check(client, 'manage', groupName, id);
  const by = client.identity?.uid ?? ANONYMOUS;
  void act(command, by, deps).then(
    () => {
      if (id !== undefined) client.sendEvent(ackEvent(id));
    },
    (error: unknown) => {
      if (error instanceof ProtocolError) {
        rejectCommand(counters, client, id, error.code, error.message);
        return;
      }
      log.error({ error }, `the command ${command.cmd} failed`);
      rejectCommand(counters, client, id, 'internal_error');
    },
  );
}

function act(command: Manage, by: string, { hub, log }: CommandDeps): Promise<void> {
  const { group_id: group, uid } = command;
  switch (command.cmd) {
    case 'ban': {
      const { seconds, reason } = command;
      return hub.ban({ group, uid }, { seconds, reason, by });
    }
    case 'unban':
      return hub.unban({ group, uid }, { by });
    case 'kick': {
      const { reason } = command;
      return hub.kick(group, uid, { reason, by }).then(() => {
        // The hub logs bans, and no messages.
        log.info({ group, uid, by, reason }, 'Kicked');
      });
    }
  }
}
