import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { CLIENT_SESSION_PREFIX } from '@groupcast/protocol/schema';

/** Random bytes of a session: 256 bits cannot be guessed. Possession authenticates the client. */
const RANDOM_BYTES = 32;
/** Bytes of the HMAC-SHA256 in a session: 128 bits cannot be guessed either. */
const MAC_BYTES = 16;
const KEY_BYTES = 32;
const KEY_INFO = 'groupcast session';

// Base64url of 32 and of 48 bytes.
const UNSIGNED = /^[\w-]{43}$/;
const SIGNED = /^[\w-]{64}$/;

/** Characters of a client id: 132 bits, as many as a random id has. */
const CLIENT_ID_LENGTH = 22;

/**
 * Creates and checks sessions. With a secret they are signed, so that a client cannot choose one
 * that is easy to guess, and all gateways with the secret accept them. Without a secret any 256
 * bits are a session.
 */
export class ClientSessions {
  readonly #key: Uint8Array | undefined;

  constructor(secret: string) {
    this.#key =
      secret === '' ? undefined : new Uint8Array(hkdfSync('sha256', secret, '', KEY_INFO, KEY_BYTES));
  }

  /**
   * Creates a session for a client that offers none. It is a secret of that client: do not log it.
   */
  create(): string {
    const random = randomBytes(RANDOM_BYTES);
    const bytes = this.#key === undefined ? random : Buffer.concat([random, macOf(this.#key, random)]);
    return bytes.toString('base64url');
  }

  /** Returns the session that a client offers in `Sec-WebSocket-Protocol`, if it is valid. */
  offered(subprotocols: string | undefined): string | undefined {
    for (const offered of subprotocols?.split(',') ?? []) {
      const name = offered.trim();
      if (!name.startsWith(CLIENT_SESSION_PREFIX)) continue;
      const session = name.slice(CLIENT_SESSION_PREFIX.length);
      // Only the first is checked, so that a client that offers many causes no more work.
      if (this.#hasForm(session)) return this.#isOwn(session) ? session : undefined;
    }
    return undefined;
  }

  #hasForm(session: string): boolean {
    return (this.#key === undefined ? UNSIGNED : SIGNED).test(session);
  }

  #isOwn(session: string): boolean {
    if (this.#key === undefined) return true;
    const bytes = Buffer.from(session, 'base64url');
    const mac = macOf(this.#key, bytes.subarray(0, RANDOM_BYTES));
    return timingSafeEqual(mac, bytes.subarray(RANDOM_BYTES));
  }
}

/**
 * Returns the client id of a session, or of a user with a session: one session of two users is two
 * clients. It is the same on every worker, and does not reveal the session.
 */
export function clientIdOf(session: string, uid?: string): string {
  const hash = createHash('sha256');
  if (uid !== undefined) hash.update(`${uid}\n`);
  return hash.update(session).digest('base64url').slice(0, CLIENT_ID_LENGTH);
}

function macOf(key: Uint8Array, random: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(random).digest().subarray(0, MAC_BYTES);
}
