import type { webcrypto } from 'node:crypto';
import { createRemoteJWKSet, customFetch, errors, type JWK } from 'jose';
import { KeyError, PUBLIC_KEY_ALGORITHMS, publicKeyOf } from './public-key.ts';
import { TokenError } from './token-error.ts';

/** Time for one request, in milliseconds. */
const FETCH_MS = 5_000;

/** Age at which the set is loaded again, in milliseconds. */
const REFRESH_MS = 600_000;

/** Least time between two requests for an unknown kid, which anyone can send, in milliseconds. */
const COOL_DOWN_MS = 30_000;

/** Least time between two requests while no set was loaded, in milliseconds. */
const RETRY_MS = 5_000;

/** Time for which the last set counts while the URL fails, in milliseconds: 24 h. */
const LAST_GOOD_MS = 86_400_000;

/** Bytes of the longest response. */
const SET_BYTES_MAX = 256 * 1_024;

/** Keys of a set that are used; further ones are ignored. */
const KEYS_MAX = 64;

/** Keys that one token without a kid is tried with. */
const TRIED_KEYS_MAX = 8;

type Fetched = { readonly body: string; readonly at: number };

/** Public keys at a URL: a JWK set (RFC 7517), as identity providers publish them. */
export class Jwks {
  readonly #url: string;
  readonly #failed: (error: Error) => void;
  readonly #keyFor: ReturnType<typeof createRemoteJWKSet>;
  #lastGood: Fetched | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  #failure: Error | undefined;

  /** `failed` is called once for each request that fails. */
  constructor(url: string, failed: (error: Error) => void) {
    this.#url = url;
    this.#failed = failed;
    this.#keyFor = createRemoteJWKSet(new URL(url), {
      timeoutDuration: FETCH_MS,
      cooldownDuration: COOL_DOWN_MS,
      cacheMaxAge: REFRESH_MS,
      [customFetch]: async (_url, { headers, signal }) => new Response(await this.#set(headers, signal)),
    });
  }

  /**
   * Returns the keys with this algorithm and kid. Loads the set if it is old, or has none. Rejects
   * with TokenError `unavailable` while there is no set.
   */
  async find(algorithm: string, kid: string | undefined): Promise<readonly webcrypto.CryptoKey[]> {
    if (!PUBLIC_KEY_ALGORITHMS.some((known) => known === algorithm)) return [];
    try {
      return [await this.#keyFor({ alg: algorithm, ...(kid === undefined ? {} : { kid }) })];
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return [];
      if (error instanceof errors.JWKSMultipleMatchingKeys) return firstOf(error);
      throw new TokenError('unavailable', 'The keys that check tokens cannot be loaded. Try again later.', {
        cause: error,
      });
    }
  }

  /** Returns the set as JSON: the current one, or the last one that could be loaded. */
  async #set(headers: Headers, signal: AbortSignal): Promise<string> {
    const now = Date.now();
    if (this.#failure !== undefined && now < this.#failedAt + RETRY_MS) throw this.#failure;
    try {
      const body = usableKeys(await load(this.#url, headers, signal));
      this.#lastGood = { body, at: now };
      this.#failure = undefined;
      return body;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const error = new Error(`The keys at ${this.#url} cannot be loaded: ${reason}.`, { cause });
      this.#failed(error);
      if (this.#lastGood !== undefined && now < this.#lastGood.at + LAST_GOOD_MS) return this.#lastGood.body;
      this.#failure = error;
      this.#failedAt = now;
      throw error;
    }
  }
}

async function firstOf(keys: AsyncIterable<webcrypto.CryptoKey>): Promise<readonly webcrypto.CryptoKey[]> {
  const first: webcrypto.CryptoKey[] = [];
  for await (const key of keys) {
    first.push(key);
    if (first.length === TRIED_KEYS_MAX) break;
  }
  return first;
}

async function load(url: string, headers: Headers, signal: AbortSignal): Promise<string> {
  // A redirect could lead to a place without TLS.
  const response = await fetch(url, { headers, signal, redirect: 'manual' });
  if (response.status !== 200) {
    await response.body?.cancel();
    const advice = response.status >= 300 && response.status < 400 ? '; redirects are not followed' : '';
    throw new Error(`the response has the status ${response.status}${advice}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > SET_BYTES_MAX) throw new Error(`the response is longer than ${SET_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Returns the set without keys that must not or cannot check tokens. Throws if none is left. */
function usableKeys(text: string): string {
  const { keys } = parsed(text);
  if (!Array.isArray(keys)) throw new Error('the response is not a JWK set');
  const usable = keys.slice(0, KEYS_MAX).filter(isUsable);
  if (usable.length === 0) throw new Error('the response has no usable key');
  return JSON.stringify({ keys: usable });
}

function parsed(text: string): { readonly keys?: unknown } {
  try {
    return JSON.parse(text) ?? {};
  } catch (cause) {
    throw new Error('the response is not JSON', { cause });
  }
}

function isUsable(jwk: JWK): boolean {
  // A private key that is published belongs to anyone.
  if (typeof jwk !== 'object' || jwk === null || jwk.d !== undefined) return false;
  try {
    publicKeyOf(jwk);
    return true;
  } catch (error) {
    if (error instanceof KeyError) return false;
    throw error;
  }
}
