import { createPrivateKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '@groupcast/service';
import { publicKeyOf } from '../auth/public-key.ts';
import type { TokenFlags } from '../auth/token-flags.ts';
import { readKeyFile, readTokenSecret } from './token-files.ts';

/** Key that signs tokens. */
export interface SigningKey {
  readonly key: KeyObject | Uint8Array;
  readonly algorithm: string;
  readonly kid: string | undefined;
  readonly warnings: readonly string[];
}

/**
 * Reads the private key with this `kid`. Without one, reads the first secret, or else the first
 * private key. Throws ConfigError without such a key.
 */
export function readSigningKey(
  { tokenSecretFile, tokenKeyFile }: Pick<TokenFlags, 'tokenSecretFile' | 'tokenKeyFile'>,
  kid: string,
): SigningKey {
  const [secretFile] = tokenSecretFile;
  if (kid === '' && secretFile !== undefined) {
    const { secret, warning } = readTokenSecret(secretFile);
    const warnings = warning === undefined ? [] : [warning];
    return { key: Buffer.from(secret), algorithm: 'HS256', kid: undefined, warnings };
  }
  const keys = tokenKeyFile.flatMap((path) => readKeyFile(path).jwks);
  const jwk = keys.find((key) => key['d'] !== undefined && (kid === '' || key['kid'] === kid));
  if (jwk === undefined) {
    const wanted = kid === '' ? 'a private key' : `a private key with the kid "${kid}"`;
    throw new ConfigError([
      `No key signs the token: give --token-secret-file, or --token-key-file with ${wanted}.`,
    ]);
  }
  const { algorithms, kid: ownKid } = publicKeyOf(jwk);
  const [algorithm = ''] = algorithms;
  return { key: createPrivateKey({ key: jwk, format: 'jwk' }), algorithm, kid: ownKid, warnings: [] };
}
