import { HubClient } from '@groupcast/hub-client';
import type { PreparedAccess } from './hub-access.ts';

/**
 * Connects to a hub. Resolves when the link is open, and rejects with HubUnreachable after the
 * first failed attempt: a command that waits for a hub would look like one that hangs.
 */
export function connect({ address, client }: PreparedAccess, name: string): Promise<HubClient> {
  const hub = new HubClient({ ...client, name: `${name} pid ${process.pid}` });
  return new Promise((resolve, reject) => {
    hub.on('state', function onState(state, error) {
      if (state !== 'open' && state !== 'waiting') return;
      hub.off('state', onState);
      if (state === 'open') {
        resolve(hub);
        return;
      }
      hub.close();
      reject(unreachable(address, error));
    });
    hub.connect();
  });
}

/** The link to a hub could not be opened. */
export class HubUnreachable extends Error {
  override readonly name = 'HubUnreachable';
  readonly code = 'hub_unreachable';
}

function unreachable(address: string, cause: Error | undefined): HubUnreachable {
  const reason = cause?.message ?? 'it closed the connection.';
  return new HubUnreachable(
    `The hub at ${address} cannot be used: ${reason} Start one with "groupcast dev", or name it with --hub.`,
    { cause },
  );
}
