import { type Can, Grants } from '../src/auth/grants.ts';
import type { Identity } from '../src/auth/identity.ts';

/** Returns the identity of a user whose token has no claim but `sub` and `can`. */
export function identityOf(uid: string, can: Can = {}): Identity {
  return {
    uid,
    tokenId: undefined,
    issuedAt: undefined,
    expiresAt: undefined,
    grants: new Grants(can, uid),
    groups: [],
    info: undefined,
    limits: {},
  };
}
