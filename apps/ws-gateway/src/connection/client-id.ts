import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { CLIENT_SESSION_PREFIX } from '@groupcast/protocol/schema';

/** Nobody can guess so many random bytes, and whoever has them is the client. */
const RANDOM_BYTES = 32;
/** The part of an HMAC-SHA256 that a session carries: 128 bits, which cannot be guessed either. */
const MAC_BYTES = 16;
const KEY_BYTES = 32;
const KEY_INFO = 'groupcast session';

// Base64url of 32 bytes, and of 48.
const UNSIGNED = /^[\w-]{43}$/;
const SIGNED = /^[\w-]{64}$/;

/** 132 bits: as hard to guess as a random id, and of the same length. */
const CLIENT_ID_LENGTH = 22;

/**
 * Makes sessions, and knows its own: with a secret it signs them, so that a client cannot choose one that others can guess, and all gateways
 * with that secret accept them. Without one, any 256 bits are a session.
 */
export class ClientSessions {
  readonly #key: Uint8Array | undefined;

  constructor(secret: string) {
    this.#key =
      secret === '' ? undefined : new Uint8Array(hkdfSync('sha256', secret, '', KEY_INFO, KEY_BYTES));
  }

  /** Makes a session for a client that offers none. It is a secret: it goes to that client alone, and into no log. */
  create(): string {
    const random = randomBytes(RANDOM_BYTES);
    const bytes = this.#key === undefined ? random : Buffer.concat([random, macOf(this.#key, random)]);
    return bytes.toString('base64url');
  }

  /** The session that a client offers in `Sec-WebSocket-Protocol`; nothing when it offers none, or none of these. */
  offered(subprotocols: string | undefined): string | undefined {
    for (const offered of subprotocols?.split(',') ?? []) {
      const name = offered.trim();
      if (!name.startsWith(CLIENT_SESSION_PREFIX)) continue;
      const session = name.slice(CLIENT_SESSION_PREFIX.length);
      // One at most is checked: whoever offers many does not make more work.
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

/** The public id of the client that has a session: the same on every worker of every host, and no way back to the session. */
export function clientIdOf(session: string): string {
  return createHash('sha256').update(session).digest('base64url').slice(0, CLIENT_ID_LENGTH);
}

function macOf(key: Uint8Array, random: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(random).digest().subarray(0, MAC_BYTES);
}
