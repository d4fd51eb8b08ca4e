import type { JsonWebKey } from 'node:crypto';

/** Keys that sign tokens, and rules for their claims, in a form that can be sent to a worker. */
export interface TokenOptions {
  /** Secrets for HS256, HS384 and HS512; each has at least TOKEN_SECRET_BYTES_MIN bytes. */
  readonly secrets: readonly string[];
  /** Public keys as JWKs, with the `kid` by which a token names one. */
  readonly keys: readonly JsonWebKey[];
  /** URL of a set of public keys; '' for none. */
  readonly jwksUrl: string;
  /** Values of `aud`, of which a token needs one; none: any token is accepted. */
  readonly audience: readonly string[];
  /** Value of `iss` that a token needs; '' for any. */
  readonly issuer: string;
  /** Whether a token without `exp` is accepted. */
  readonly withoutExp: boolean;
  /** Groups that a token may name in `join`: as many as a connection may be in. */
  readonly groupsMax: number;
}

/** Bytes of the shortest secret: the owner of a token can try secrets offline (RFC 7518, 3.2). */
export const TOKEN_SECRET_BYTES_MIN = 32;

/** Secrets at a time: the current one, and the one that it replaces. */
export const TOKEN_SECRETS_MAX = 2;

/** Public keys of all key files together. */
export const TOKEN_KEYS_MAX = 16;

/**
 * Seconds that clocks may differ, and that a token counts after its `exp`: in a handshake and on an
 * open connection, so that no connection opens only to be closed.
 */
export const TOKEN_LEEWAY_SECONDS = 25;
