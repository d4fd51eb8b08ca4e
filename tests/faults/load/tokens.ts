import { SignJWT } from 'jose';

/** Life of a token. A run lasts longer, so that every client needs several. */
const LIFE_SECONDS = 2;

/** Signs short tokens that allow everything, and name groups that the server joins. */
export class Tokens {
  readonly #secret: Uint8Array;
  #issued = 0;

  constructor(secret: string) {
    this.#secret = new TextEncoder().encode(secret);
  }

  /** Number of tokens so far. */
  get issued(): number {
    return this.#issued;
  }

  readonly issue = (uid: string, join: readonly string[]): Promise<string> => {
    this.#issued += 1;
    return new SignJWT({ groupcast: { can: { '*': ['*'] }, join } })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(uid)
      .setIssuedAt()
      .setExpirationTime(`${LIFE_SECONDS}s`)
      .sign(this.#secret);
  };
}
