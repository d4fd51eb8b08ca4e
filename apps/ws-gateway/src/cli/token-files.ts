import { createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto';
import { ConfigError, Problems, readFileOption, readSecretFile } from '@groupcast/service';
import { publicKeyOf } from '../auth/public-key.ts';
import { type TokenFlags, tokenProblems } from '../auth/token-flags.ts';
import { TOKEN_KEYS_MAX, TOKEN_SECRET_BYTES_MIN, type TokenOptions } from '../auth/token-options.ts';
import type { GatewayConfig } from '../config.ts';

/** Limit of a key file in bytes: a set of sixteen long RSA keys. */
const KEY_FILE_BYTES_MAX = 64 * 1_024;

const READABLE_BY_OTHERS = 0o044;
const WRITABLE_BY_OTHERS = 0o022;

const KEY_FLAG = '--token-key-file';

/** Options of tokens, and warnings about their files. */
export interface TokenReading {
  readonly tokens: TokenOptions;
  readonly warnings: readonly string[];
}

type TokenConfig = TokenFlags & Pick<GatewayConfig, 'groupsPerConnectionMax'>;

/** Reads the files of secrets and keys. Throws ConfigError with every problem. */
export function readTokenOptions(config: TokenConfig): TokenReading {
  const problems = new Problems();
  for (const problem of tokenProblems(config)) problems.add(problem);
  const secrets = config.tokenSecretFile.map((path) =>
    problems.collect(() => readTokenSecret(path), { secret: '', warning: undefined }),
  );
  const files = config.tokenKeyFile.map((path) =>
    problems.collect(() => readKeyFile(path), { jwks: [], keys: [], warnings: [] }),
  );
  const keys = files.flatMap((file) => file.keys);
  for (const problem of keyProblems(keys)) problems.add(problem);
  problems.throwIfAny();
  const tokens: TokenOptions = {
    secrets: secrets.map(({ secret }) => secret),
    keys,
    jwksUrl: config.tokenJwksUrl,
    audience: config.tokenAudience,
    issuer: config.tokenIssuer,
    withoutExp: config.tokenWithoutExp,
    groupsMax: config.groupsPerConnectionMax,
  };
  const ofSecrets = secrets.flatMap(({ warning }) => (warning === undefined ? [] : [warning]));
  return { tokens, warnings: [...ofSecrets, ...files.flatMap((file) => file.warnings)] };
}

/** Reads a secret that signs tokens. Throws ConfigError. */
export function readTokenSecret(path: string): ReturnType<typeof readSecretFile> {
  return readSecretFile(path, { flag: '--token-secret-file', bytesMin: TOKEN_SECRET_BYTES_MIN });
}

function keyProblems(keys: readonly JsonWebKey[]): readonly string[] {
  const problems: string[] = [];
  if (keys.length > TOKEN_KEYS_MAX) {
    problems.push(`${KEY_FLAG} names ${keys.length} keys. Give at most ${TOKEN_KEYS_MAX}.`);
  }
  const kids = keys.flatMap((key) => (typeof key['kid'] === 'string' ? [key['kid']] : []));
  const repeated = kids.filter((kid, at) => kids.indexOf(kid) !== at);
  for (const kid of new Set(repeated)) {
    problems.push(`${KEY_FLAG} names two keys with the kid "${kid}". Give each key its own.`);
  }
  return problems;
}

interface KeyFile {
  /** Keys as they are in the file, with their private parts. */
  readonly jwks: readonly JsonWebKey[];
  /** Public keys. */
  readonly keys: readonly JsonWebKey[];
  readonly warnings: readonly string[];
}

/** Reads a PEM file, a JWK or a JWK set. Throws ConfigError. */
export function readKeyFile(path: string): KeyFile {
  const { text, mode } = readFileOption(KEY_FLAG, path, KEY_FILE_BYTES_MAX);
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new ConfigError([
      `${KEY_FLAG} ${path} can be written by other users, who could replace the key. Run: chmod go-w ${path}`,
    ]);
  }
  const jwks = jwksOf(path, text);
  const keys = jwks.map((jwk, at) => {
    const place = jwks.length === 1 ? path : `${path}, key ${at + 1},`;
    return publicJwk(place, jwk);
  });
  const isPrivate = jwks.some((jwk) => jwk['d'] !== undefined);
  if (!isPrivate) return { jwks, keys, warnings: [] };
  const warnings = [
    `${path} has a private key. The gateway needs the public key only: remove the other one.`,
  ];
  if ((mode & READABLE_BY_OTHERS) !== 0) {
    warnings.push(`${path} can be read by other users, who can sign tokens with it; run: chmod 600 ${path}`);
  }
  return { jwks, keys, warnings };
}

function publicJwk(place: string, jwk: JsonWebKey): JsonWebKey {
  try {
    const { key, kid, algorithms } = publicKeyOf(jwk);
    const alg = algorithms.length === 1 ? { alg: algorithms[0] } : {};
    return { ...key.export({ format: 'jwk' }), ...alg, ...(kid === undefined ? {} : { kid }) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`${KEY_FLAG} ${place} ${reason}.`], { cause });
  }
}

/** Returns the keys of a file, private ones as they are. */
function jwksOf(path: string, text: string): readonly JsonWebKey[] {
  if (text.includes('-----BEGIN ')) return [jwkOfPem(path, text)];
  const value = parsed(text) as { readonly keys?: unknown } | undefined;
  const keys = Array.isArray(value?.keys) ? value.keys : [value];
  if (keys.length > 0 && keys.every((key) => typeof key === 'object' && key !== null)) return keys;
  throw new ConfigError([`${KEY_FLAG} ${path} is not a key. Give a PEM file, a JWK or a JWK set.`]);
}

function jwkOfPem(path: string, text: string): JsonWebKey {
  try {
    const key = text.includes('PRIVATE KEY-----') ? createPrivateKey(text) : createPublicKey(text);
    return key.export({ format: 'jwk' });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`${KEY_FLAG} ${path} cannot be used as a PEM key: ${reason}.`], { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller reports it as neither PEM nor JSON.
    return undefined;
  }
}
