import { createHash, randomBytes } from 'node:crypto';
import { CLIENT_SESSION_PREFIX } from '@groupcast/protocol/schema';

/** Nobody can guess so many, and whoever has them is the client. */
const SESSION_BYTES = 32;
const SESSION_PATTERN = /^[\w-]{43}$/;

/** 132 bits: as hard to guess as a random id, and of the same length. */
const CLIENT_ID_LENGTH = 22;

/** A session for a client that offers none. It is a secret: it goes to that client alone, and into no log. */
export function newSession(): string {
  return randomBytes(SESSION_BYTES).toString('base64url');
}

/** The public id of the client that has a session: the same on every worker of every host, and no way back to the session. */
export function clientIdOf(session: string): string {
  return createHash('sha256').update(session).digest('base64url').slice(0, CLIENT_ID_LENGTH);
}

/** The session that a client offers in `Sec-WebSocket-Protocol`; nothing when it offers none, or what is none. */
export function offeredSession(subprotocols: string | undefined): string | undefined {
  for (const offered of subprotocols?.split(',') ?? []) {
    const name = offered.trim();
    if (!name.startsWith(CLIENT_SESSION_PREFIX)) continue;
    const session = name.slice(CLIENT_SESSION_PREFIX.length);
    if (SESSION_PATTERN.test(session)) return session;
  }
  return undefined;
}
