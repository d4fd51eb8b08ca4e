import { limits } from '@groupcast/protocol';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { type Claims, parseClaims } from './claims.ts';
import { hasDuplicateKeys } from './duplicate-keys.ts';
import { Grants } from './grants.ts';
import type { Identity } from './identity.ts';
import { PatternsCache } from './patterns-cache.ts';
import { TokenError } from './token-error.ts';
import { TokenKeys, type VerificationKey } from './token-keys.ts';
import { TOKEN_LEEWAY_SECONDS, type TokenOptions } from './token-options.ts';

const NO_GROUPS: readonly string[] = [];
const NO_LIMITS = {};

/** Checks tokens: JWTs (RFC 7519) that the configured keys have signed. */
export class TokenVerifier {
  readonly #options: TokenOptions;
  readonly #keys: TokenKeys;
  readonly #patterns = new PatternsCache();

  constructor(options: TokenOptions) {
    this.#options = options;
    this.#keys = new TokenKeys(options);
  }

  /** Returns the identity of a token. Rejects with TokenError. */
  async verify(token: string): Promise<Identity> {
    const header = headerOf(token);
    const keys = await this.#keys.find(header.algorithm, header.kid);
    if (keys.length === 0) {
      throw new TokenError(
        'invalid',
        'No configured key has the kid and the algorithm of the token. Sign it with a configured key.',
      );
    }
    const payload = await this.#payloadOf(token, header.algorithm, keys);
    const [headerPart = '', payloadPart = ''] = token.split('.', 2);
    if (isAmbiguous(headerPart, header.fields) || isAmbiguous(payloadPart, payload)) {
      throw new TokenError('invalid', 'The token has a claim or a field of the header twice. Give it once.');
    }
    return this.#identityOf(parseClaims(payload));
  }

  /** Returns the claims, if one of the keys has signed the token. */
  async #payloadOf(token: string, algorithm: string, keys: readonly VerificationKey[]): Promise<JWTPayload> {
    const { audience, issuer, withoutExp } = this.#options;
    for (const key of keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [algorithm],
          clockTolerance: TOKEN_LEEWAY_SECONDS,
          requiredClaims: withoutExp ? [] : ['exp'],
          ...(audience.length === 0 ? {} : { audience: [...audience] }),
          ...(issuer === '' ? {} : { issuer }),
        });
        return payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw rejection(error);
      }
    }
    throw new TokenError('invalid', 'The signature of the token is wrong. Sign it with a configured key.');
  }

  #identityOf({ sub, jti, exp, iat, groupcast }: Claims): Identity {
    const { can, join = NO_GROUPS, info, limits: given } = groupcast;
    if (join.length > this.#options.groupsMax) {
      throw new TokenError(
        'invalid',
        `Claim groupcast.join of the token has ${join.length} groups. Name at most ${this.#options.groupsMax}.`,
      );
    }
    if (iat !== undefined && iat > Date.now() / 1_000 + TOKEN_LEEWAY_SECONDS) {
      throw new TokenError('invalid', 'Claim iat of the token is in the future. Compare the clocks.');
    }
    return {
      uid: sub,
      tokenId: jti,
      issuedAt: iat,
      expiresAt: exp,
      grants: new Grants(this.#patterns.get(can), sub),
      groups: join.length === 0 ? NO_GROUPS : join,
      info,
      limits:
        given === undefined
          ? NO_LIMITS
          : { messagesPerSecond: given.messages_per_second, groups: given.groups },
    };
  }
}

interface Header {
  readonly algorithm: string;
  readonly kid: string | undefined;
  readonly fields: object;
}

/** Returns what selects the key. */
function headerOf(token: string): Header {
  if (token.length > limits.TOKEN_BYTES_MAX) {
    throw new TokenError(
      'invalid',
      `The token is longer than ${limits.TOKEN_BYTES_MAX} bytes. Give it fewer claims.`,
    );
  }
  const fields = parsedHeader(token);
  const { alg, kid, crit, b64 } = fields;
  if (crit !== undefined || b64 !== undefined) {
    throw new TokenError('invalid', 'The header of the token has crit or b64, which are not supported.');
  }
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) {
    throw new TokenError('invalid', 'The header of the token needs alg, and kid must be a string.');
  }
  return { algorithm: alg, kid, fields };
}

function parsedHeader(token: string): Readonly<Record<string, unknown>> {
  try {
    return decodeProtectedHeader(token);
  } catch {
    // No cause: the error of the parser quotes the token.
    throw new TokenError('invalid', 'The token is not a JWT: three parts in base64url with dots between.');
  }
}

/** Returns whether a part of a token, parsed as `value`, may mean something else elsewhere. */
function isAmbiguous(part: string, value: object): boolean {
  return hasDuplicateKeys(Buffer.from(part, 'base64url').toString(), value);
}

const ADVICE: Readonly<Record<string, string>> = {
  exp: 'Give the time of expiry in seconds since 1970.',
  nbf: 'It is a time in seconds since 1970, from which the token is valid. Compare the clocks.',
  aud: 'It must be an audience of the gateway, or a list that contains one.',
  iss: 'It must be the issuer that the gateway is configured with.',
  iat: 'It is a time in seconds since 1970.',
};

/** Returns an error without a cause: those of the library have the claims in them. */
function rejection(error: unknown): TokenError {
  if (error instanceof errors.JWTExpired) {
    return new TokenError('expired', 'The token has expired. Get a new one.');
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const problem = error.reason === 'missing' ? 'is missing' : 'is invalid';
    return new TokenError('invalid', `Claim ${error.claim} of the token ${problem}. ${ADVICE[error.claim]}`);
  }
  return new TokenError(
    'invalid',
    'The token is malformed. Its payload must be one JSON object in base64url.',
  );
}
