import type { Identity } from '../auth/identity.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';

/** Parts of a client's handshake that its connection needs. Session and token are secrets. */
export interface Handshake {
  readonly protocol: ClientProtocol;
  /** The client's own session or a new one, where its protocol has sessions. */
  readonly session: string | undefined;
  /** Token that is not checked yet. */
  readonly token: string | undefined;
  /** Identity of a token that was checked before the response. */
  readonly identity: Identity | undefined;
}
