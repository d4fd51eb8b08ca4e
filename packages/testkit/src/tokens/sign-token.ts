import { createHmac, type KeyObject, sign } from 'node:crypto';

/** Key and header of a token of a test. */
export interface SignTokenOptions {
  /** Secret for HS256 (also in `alg`, or another one), or a private key. */
  readonly key: string | KeyObject;
  /** Fields of the header, or its JSON text. Default: the algorithm of the key. */
  readonly header?: object | string;
}

/**
 * Returns a JWT with these claims, or with this JSON text as its payload. It is made by hand, so
 * that it can have any fault.
 */
export function signToken(claims: object | string, { key, header = {} }: SignTokenOptions): string {
  const fields = typeof header === 'string' ? header : { alg: algorithmOf(key), ...header };
  const input = `${encoded(fields)}.${encoded(claims)}`;
  return `${input}.${signature(input, key, fields).toString('base64url')}`;
}

function encoded(part: object | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function algorithmOf(key: string | KeyObject): string {
  if (typeof key === 'string') return 'HS256';
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'ES384' : 'ES256';
}

function signature(input: string, key: string | KeyObject, fields: object | string): Buffer {
  const alg = typeof fields === 'object' && 'alg' in fields ? String(fields.alg) : '';
  const bits = /\d{3}$/.exec(alg)?.[0] ?? '256';
  if (typeof key === 'string') return createHmac(`sha${bits}`, key).update(input).digest();
  const hash = key.asymmetricKeyType === 'ed25519' ? null : `sha${bits}`;
  return sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
}
