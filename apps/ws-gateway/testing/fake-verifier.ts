import type { Identity } from '../src/auth/identity.ts';
import { TokenError } from '../src/auth/token-error.ts';
import { identityOf } from './identity-of.ts';

/** Returns the identity of a user who may do everything, or as `more` says. */
export function allowedIdentity(uid: string, more: Partial<Identity> = {}): Identity {
  return { ...identityOf(uid, { '*': ['*'] }), ...more };
}

interface Waiting {
  readonly token: string;
  readonly settle: () => void;
}

/**
 * Checks tokens without cryptography. The token is the uid, but for `invalid`, `expired`,
 * `unavailable` and `defect`, which fail so, and for those in `identities`.
 */
export class FakeVerifier {
  readonly identities: Map<string, Identity> = new Map();
  /** Tokens in the order of their checks. */
  readonly checked: string[] = [];
  /** Whether checks wait for `settle`. */
  byHand = false;
  readonly waiting: Waiting[] = [];

  readonly verify = async (token: string): Promise<Identity> => {
    this.checked.push(token);
    if (this.byHand)
      await new Promise<void>((settle) => {
        this.waiting.push({ token, settle });
      });
    if (token === 'invalid' || token === 'expired' || token === 'unavailable')
      throw new TokenError(token, `The token is ${token}.`);
    if (token === 'defect') throw new Error(`cannot read ${token}`);
    return this.identities.get(token) ?? allowedIdentity(token);
  };

  /** Ends the checks that wait. */
  settle(): void {
    for (const { settle } of this.waiting.splice(0)) settle();
  }
}
