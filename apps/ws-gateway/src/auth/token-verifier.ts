import { limits } from '@groupcast/protocol';
import { hasDuplicateKeys } from '@groupcast/protocol/schema';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { type Claims, parseClaims } from './claims.ts';
import { Grants } from './grants.ts';
import type { Identity } from './identity.ts';
import { PatternsCache } from './patterns-cache.ts';
import { TokenError } from './token-error.ts';
import { TokenKeys } from './token-keys.ts';
import { TOKEN_LEEWAY_SECONDS, type TokenOptions } from './token-options.ts';

const NO_GROUPS: readonly string[] = [];
const NO_LIMITS = {};

/** Checks tokens: JWTs (RFC 7519) that the configured keys have signed. */
export class TokenVerifier {
  readonly #options: TokenOptions;
  readonly #keys: TokenKeys;
  readonly #patterns = new PatternsCache();

  /** `keysFailed` is called with each failure to load keys from the URL. */
  constructor(options: TokenOptions, keysFailed: (error: Error) => void = () => {}) {
    this.#options = options;
    this.#keys = new TokenKeys(options, keysFailed);
  }

  /** Returns the identity of a token. Rejects with TokenError. */
  async verify(token: string): Promise<Identity> {
    const header = headerOf(token);
    const payload = await this.#payloadOf(token, header);
    const [headerPart = '', payloadPart = ''] = token.split('.', 2);
    if (isAmbiguous(headerPart, header.fields) || isAmbiguous(payloadPart, payload)) {
      throw new TokenError('invalid', 'The token has a claim or a field of the header twice. Give it once.');
    }
    return this.#identityOf(parseClaims(payload));
  }

  /** Returns the claims, if one of the keys has signed the token. */
  async #payloadOf(token: string, { algorithm, kid }: Header): Promise<JWTPayload> {
    const { audience, issuer, withoutExp } = this.#options;
    let problem = 'No configured key has the kid and the algorithm of the token';
    for await (const key of this.#keys.find(algorithm, kid)) {
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
        problem = 'The signature of the token is wrong';
      }
    }
    throw new TokenError('invalid', `${problem}. Sign it with a key of the gateway.`);
  }

  #identityOf({ sub, jti, exp, iat, groupcast }: Claims): Identity {
    const { can, join = NO_GROUPS, info, limits: given } = groupcast;
    const { groupsMax } = this.#options;
    if (join.length > groupsMax) {
      throw new TokenError('invalid', `Claim groupcast.join of the token has more than ${groupsMax} groups.`);
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

/** Returns the header, of which algorithm and kid select the key. */
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

/** Three parts in base64url. jose would also accept padding, and so two forms of one token. */
const JWT_FORM = /^[\w-]+\.[\w-]+\.[\w-]*$/;

function parsedHeader(token: string): Readonly<Record<string, unknown>> {
  const fields = JWT_FORM.test(token) ? decodedHeader(token) : undefined;
  if (fields !== undefined) return fields;
  throw new TokenError('invalid', 'The token is not a JWT: three parts in base64url with dots between.');
}

function decodedHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeProtectedHeader(token);
  } catch {
    // The caller reports it. The error itself quotes the token.
    return undefined;
  }
}

/** Returns whether a part of a token, parsed as `value`, may mean something else elsewhere. */
function isAmbiguous(part: string, value: object): boolean {
  return hasDuplicateKeys(Buffer.from(part, 'base64url').toString(), value);
}

const ADVICE: Readonly<Record<string, string>> = {
  exp: 'Give the time of expiry in seconds since 1970.',
  nbf: 'It is a time in seconds since 1970, from which the token is valid. Compare the clocks.',
  iat: 'It is a time in seconds since 1970.',
  aud: 'It must be an audience of the gateway, or a list that contains one.',
  iss: 'It must be the issuer that the gateway is configured with.',
};

/** Returns an error without a cause where that of the library has the claims in it. */
function rejection(error: unknown): TokenError {
  if (error instanceof errors.JWTExpired) {
    return new TokenError('expired', 'The token has expired. Get a new one.');
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const problem = error.reason === 'missing' ? 'is missing' : 'is invalid';
    return new TokenError('invalid', `Claim ${error.claim} of the token ${problem}. ${ADVICE[error.claim]}`);
  }
  if (error instanceof errors.JOSEError) {
    return new TokenError(
      'invalid',
      'The token is malformed. Its payload must be a JSON object in base64url.',
    );
  }
  return new TokenError('unavailable', 'The token cannot be checked. Try again later.', { cause: error });
}
