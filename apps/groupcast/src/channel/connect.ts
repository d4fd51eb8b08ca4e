import { type HubClient, openHubClient, ProtocolError } from '@groupcast/hub-client';
import type { PreparedAccess } from './hub-access.ts';

/** Connects to a hub, once. Rejects with HubUnreachable. */
export async function connect({ address, client }: PreparedAccess, name: string): Promise<HubClient> {
  try {
    return await openHubClient({ ...client, name: `${name} pid ${process.pid}` });
  } catch (error) {
    if (error instanceof ProtocolError) throw unreachable(address, error);
    throw error;
  }
}

/** The link to a hub could not be opened. */
export class HubUnreachable extends Error {
  override readonly name = 'HubUnreachable';
  readonly code = 'hub_unreachable';
}

function unreachable(address: string, cause: ProtocolError): HubUnreachable {
  return new HubUnreachable(
    `The hub at ${address} cannot be used: ${cause.message} Start one with "groupcast dev", or name it with --hub.`,
    { cause },
  );
}
