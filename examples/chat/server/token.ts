import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SignJWT } from 'jose';
import type { User } from './users.ts';

/** File with the secret that the gateway has as `--token-secret-file`. */
const SECRET_FILE =
  process.env['TOKEN_SECRET_FILE'] ?? new URL('../../../.groupcast/token-secret', import.meta.url);

/** Returns a token that says who a user is, and what it may do for the next ten minutes. */
export async function tokenOf({ uid, rooms, isModerator }: User): Promise<string> {
  const operations = ['join', 'history', 'publish', ...(isModerator ? ['manage'] : [])];
  const groups = ['public:*', ...rooms.map((name) => `room:${name}`)];
  const can = Object.fromEntries(groups.map((group) => [group, operations]));
  const secret = (await readFile(SECRET_FILE, 'utf8')).trim();
  return new SignJWT({ groupcast: { can } })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(uid)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(new TextEncoder().encode(secret));
}
