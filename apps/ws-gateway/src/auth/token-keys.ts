import { type KeyObject, webcrypto } from 'node:crypto';
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

/** Keys of the configuration. Each key has its algorithms: a token cannot choose others. */
export class TokenKeys {
  readonly #secrets: readonly Buffer[];
  readonly #keys: readonly PublicKey[];
  readonly #imported = new Map<string, Promise<readonly VerificationKey[]>>();

  constructor({ secrets, keys }: Pick<TokenOptions, 'secrets' | 'keys'>) {
    this.#secrets = secrets.map((secret) => Buffer.from(secret));
    this.#keys = keys.map(publicKeyOf);
  }

  /**
   * Returns the keys that a token with this header may be signed with. A token with a `kid` needs
   * the key with the same one, or a key without one, which PEM files and secrets are.
   */
  async find(algorithm: string, kid: string | undefined): Promise<readonly VerificationKey[]> {
    const hash = HASHES.get(algorithm);
    if (hash !== undefined) return this.#secretsFor(hash);
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
