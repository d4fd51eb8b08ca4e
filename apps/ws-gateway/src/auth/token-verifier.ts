import { type JWTPayload, jwtVerify } from 'jose';
import { type Can, Grants } from './grants.ts';
import type { Identity } from './identity.ts';
import { TokenError } from './token-error.ts';

export interface TokenOptions {
  /** Secret for HS256, HS384 and HS512. */
  readonly secret: Uint8Array;
}

/** Checks tokens: JWTs (RFC 7519) that the configured keys have signed. */
export class TokenVerifier {
  readonly #options: TokenOptions;

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  /** Returns the identity of a token. Rejects with TokenError. */
  async verify(token: string): Promise<Identity> {
    try {
      const { payload } = await jwtVerify(token, this.#options.secret, { algorithms: ['HS256'] });
      return identityOf(payload);
    } catch (cause) {
      throw new TokenError('invalid', 'The token is invalid.', { cause });
    }
  }
}

function identityOf(payload: JWTPayload): Identity {
  const uid = payload.sub ?? '';
  const { can = {}, join = [] } = (payload['groupcast'] ?? {}) as { can?: Can; join?: string[] };
  return {
    uid,
    tokenId: payload.jti,
    issuedAt: payload.iat,
    expiresAt: payload.exp,
    grants: new Grants(can, uid),
    groups: join,
    info: undefined,
    limits: {},
  };
}
