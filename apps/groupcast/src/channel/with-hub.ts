import type { HubClient } from '@groupcast/hub-client';
import { ProtocolError } from '@groupcast/protocol';
import type { CommandContext } from '@groupcast/service';
import { connect, HubUnreachable } from './connect.ts';
import { type HubAccess, prepareAccess } from './hub-access.ts';

const EXIT_FAILED = 1;

/**
 * Runs a command over a link to the hub, and closes the link. Resolves with the exit code; an error
 * of the hub is printed.
 */
export async function withHub(
  access: HubAccess,
  name: string,
  context: Pick<CommandContext<HubAccess>, 'printError'>,
  run: (hub: HubClient) => Promise<void>,
): Promise<number> {
  const prepared = prepareAccess(access);
  for (const warning of prepared.warnings) context.printError(`warning: ${warning}`);
  try {
    const hub = await connect(prepared, name);
    try {
      await run(hub);
      return 0;
    } finally {
      hub.close();
    }
  } catch (error) {
    if (!(error instanceof HubUnreachable || error instanceof ProtocolError)) throw error;
    context.printError(`groupcast: ${error.message}`);
    return EXIT_FAILED;
  }
}
