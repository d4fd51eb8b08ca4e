import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** Bits of the shortest RSA key (RFC 7518, 3.3). */
const RSA_BITS_MIN = 2_048;

/** Algorithms of elliptic curves, by their names in Node.js. */
const CURVES: ReadonlyMap<string, readonly string[]> = new Map([
  ['prime256v1', ['ES256']],
  ['secp384r1', ['ES384']],
]);

/** Algorithms of tokens that public keys check. */
export const PUBLIC_KEY_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const;

/** Public key that checks tokens. */
export interface PublicKey {
  readonly kid: string | undefined;
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
}

/** Rejects a key. The message ends a sentence that begins with the name of the key. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/**
 * Returns the key of a JWK, the public one for a private key. Throws KeyError for a symmetric or
 * weak key, and for one of another use or algorithm.
 */
export function publicKeyOf(jwk: JsonWebKey): PublicKey {
  const { kty, kid, use, alg } = jwk as Readonly<Record<string, unknown>>;
  if (kty === 'oct') throw new KeyError('is symmetric. Only secret files may have symmetric keys');
  if (use !== undefined && use !== 'sig') throw new KeyError('is not for signatures: its use is not "sig"');
  const key = importKey(jwk);
  const possible = algorithmsOf(key);
  const algorithms = alg === undefined ? possible : possible.filter((name) => name === alg);
  if (algorithms.length === 0) {
    throw new KeyError(`has another algorithm in alg than its type allows: ${possible.join(', ')}`);
  }
  return { kid: typeof kid === 'string' ? kid : undefined, key, algorithms };
}

function importKey(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    throw new KeyError('is not a valid JWK of type RSA, EC or OKP', { cause });
  }
}

/** Returns the algorithms of a key by its type. The first is the preferred one. */
function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  if (asymmetricKeyType === 'rsa') {
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits >= RSA_BITS_MIN) return ['RS256', 'PS256'];
    throw new KeyError(`is an RSA key of ${bits} bits. Use at least ${RSA_BITS_MIN} bits`);
  }
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519'];
  const ofCurve = CURVES.get(asymmetricKeyDetails?.namedCurve ?? '');
  if (ofCurve !== undefined) return ofCurve;
  throw new KeyError('has an unsupported type. Use RSA, EC with P-256 or P-384, or Ed25519');
}
