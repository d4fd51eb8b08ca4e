import type { ClientProtocol } from './client-protocol.ts';
import { PLAIN } from './plain/protocol.ts';
import { V1, V1_AT } from './v1/protocol.ts';

/** Client protocols by preference: a client gets the first one that it offers. */
export const CLIENT_PROTOCOLS: readonly ClientProtocol[] = [V1_AT, V1, PLAIN];

/** Returns the protocol for a client that offers these subprotocols. */
export function chooseProtocol(offered: readonly string[]): ClientProtocol {
  const chosen = CLIENT_PROTOCOLS.find(
    ({ subprotocol }) => subprotocol !== undefined && offered.includes(subprotocol),
  );
  return chosen ?? PLAIN;
}
