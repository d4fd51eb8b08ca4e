import { type KeyObject, webcrypto } from 'node:crypto';
import { Jwks } from './jwks.ts';
import { type PublicKey, publicKeyOf } from './public-key.ts';
import type { TokenOptions } from './token-options.ts';

/** Key that may have signed a token. */
export type VerificationKey = webcrypto.CryptoKey | KeyObject;

/** Hashes of the algorithms of secrets. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['HS256', 'SHA-256'],
  ['HS384', 'SHA-384'],
  ['HS512', 'SHA-512'],
]);

type TokenKeysOptions = Pick<TokenOptions, 'secrets' | 'keys' | 'jwksUrl'>;

/** Keys of the configuration. Each key has its algorithms: a token cannot choose others. */
export class TokenKeys {
  readonly #secrets: readonly Buffer[];
  readonly #keys: readonly PublicKey[];
  readonly #jwks: Jwks | undefined;
  readonly #imported = new Map<string, Promise<readonly VerificationKey[]>>();

  /** `failed` is called with each failure to load keys from the URL. */
  constructor({ secrets, keys, jwksUrl }: TokenKeysOptions, failed: (error: Error) => void) {
    this.#secrets = secrets.map((secret) => Buffer.from(secret));
    this.#keys = keys.map(publicKeyOf);
    this.#jwks = jwksUrl === '' ? undefined : new Jwks(jwksUrl, failed);
  }

  /**
   * Finds the keys that a token with this header may be signed with: those of files, and then those
   * of the URL, which are loaded only if the former did not check it.
   */
  async *find(algorithm: string, kid: string | undefined): AsyncGenerator<VerificationKey> {
    const hash = HASHES.get(algorithm);
    if (hash !== undefined) yield* await this.#secretsFor(hash);
    else {
      yield* this.#keysFor(algorithm, kid);
      if (this.#jwks !== undefined) yield* await this.#jwks.find(algorithm, kid);
    }
  }

  /**
   * Returns public keys of files. A token with a `kid` needs the key with the same one, or a key
   * without one, such as those of PEM files.
   */
  #keysFor(algorithm: string, kid: string | undefined): readonly VerificationKey[] {
    const fitting = this.#keys.filter((key) => key.algorithms.includes(algorithm));
    if (kid === undefined) return fitting.map(({ key }) => key);
    const named = fitting.filter((key) => key.kid === kid);
    const unnamed = fitting.filter((key) => key.kid === undefined);
    return (named.length > 0 ? named : unnamed).map(({ key }) => key);
  }

  #secretsFor(hash: string): Promise<readonly VerificationKey[]> {
    let imported = this.#imported.get(hash);
    if (imported === undefined) {
      const algorithm = { name: 'HMAC', hash };
      imported = Promise.all(
        this.#secrets.map((secret) =>
          webcrypto.subtle.importKey('raw', secret, algorithm, false, ['verify']),
        ),
      );
      this.#imported.set(hash, imported);
    }
    return imported;
  }
}
