import type { JsonValue } from '@groupcast/protocol/schema';
import type { Grants } from './grants.ts';

/** The user of a connection, and what its token says. */
export interface Identity {
  /** Claim `sub`. */
  readonly uid: string;
  /** Claim `jti`, by which one token is revoked. */
  readonly tokenId: string | undefined;
  /** Claim `iat`, in seconds since 1970. Undefined: older than any revocation. */
  readonly issuedAt: number | undefined;
  /** Claim `exp`, in seconds since 1970. Undefined: never. */
  readonly expiresAt: number | undefined;
  readonly grants: Grants;
  /** Groups that the server joins when the client connects. */
  readonly groups: readonly string[];
  /** Shown to others. */
  readonly info: JsonValue | undefined;
  /** Limits below those of the gateway. */
  readonly limits: IdentityLimits;
}

export interface IdentityLimits {
  readonly messagesPerSecond?: number | undefined;
  readonly groups?: number | undefined;
}

/** Checks a token. Rejects with TokenError. */
export type VerifyToken = (token: string) => Promise<Identity>;
