import { connect, HubUnreachable } from '../../channel/connect.ts';
import type { PreparedAccess } from '../../channel/hub-access.ts';
import type { Finding } from '../finding.ts';

/**
 * Opens a link to the hub as a gateway does: with secret, TLS and handshake. A hub that is not
 * `isNamed` need not run.
 */
export async function checkHub(access: PreparedAccess | undefined, isNamed: boolean): Promise<Finding> {
  const check = 'hub';
  if (access === undefined) return { state: 'skipped', check, text: 'Its files cannot be used, see above.' };
  try {
    const hub = await connect(access, 'groupcast doctor');
    hub.close();
    return { state: 'ok', check, text: `The hub at ${access.address} accepts this machine.` };
  } catch (error) {
    if (!(error instanceof HubUnreachable)) throw error;
    return { state: isNamed ? 'fault' : 'warning', check, text: error.message };
  }
}
