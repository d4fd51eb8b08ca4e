import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { TokenVerifier } from '../auth/token-verifier.ts';

/** Rounds of checks: after a thousand checks the compiler has optimised the code. */
const ROUNDS = 50;

/** Tokens that are checked at a time, as in a storm of connections. */
const TOKENS_PER_ROUND = 20;

/** Claims as tokens mostly have them. */
const CLAIMS = {
  can: { 'room:*': ['join', 'publish'], 'user:{uid}': ['join', 'history'], news: ['join'] },
  join: ['user:1'],
  info: { name: 'A user' },
};

/**
 * Checks tokens with a secret of its own, until the compiler has optimised the code: otherwise the
 * first handshakes cost twice as much. Resolves with the number of rounds.
 */
export async function warmUpTokens(signal: AbortSignal): Promise<number> {
  const secret = randomBytes(32).toString('hex');
  const verifier = new TokenVerifier({
    secrets: [secret],
    keys: [],
    jwksUrl: '',
    audience: [],
    issuer: '',
    withoutExp: false,
    groupsMax: CLAIMS.join.length,
  });
  const token = await new SignJWT({ sub: '1', jti: '1', groupcast: CLAIMS })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(Buffer.from(secret));
  let rounds = 0;
  while (rounds < ROUNDS && !signal.aborted) {
    await Promise.all(Array.from({ length: TOKENS_PER_ROUND }, () => verifier.verify(token)));
    rounds += 1;
  }
  return rounds;
}
