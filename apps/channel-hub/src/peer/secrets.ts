import { createProof, isProof } from '@groupcast/link';
import { limits, OptionError } from '@groupcast/protocol';
import type { HubChallenge } from '../dialect/dialect.ts';

/** The nonces of one handshake. */
export interface Nonces {
  readonly peer: Uint8Array;
  readonly hub: Uint8Array;
}

/** The secrets that a hub accepts: none, one, or two while one replaces the other. */
export class Secrets {
  #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  get count(): number {
    return this.#secrets.length;
  }

  replace(secrets: readonly string[]): void {
    this.#secrets = secrets;
  }

  has(secret: string): boolean {
    return this.#secrets.includes(secret);
  }

  /**
   * Returns the hub's proofs, one for each secret, as the hub does not know which one the peer has;
   * undefined without secrets.
   */
  challenge({ peer, hub }: Nonces): HubChallenge | undefined {
    const [proof, otherProof] = this.#secrets.map((secret) => createProof(secret, 'hub', peer, hub));
    if (proof === undefined) return undefined;
    return otherProof === undefined ? { nonce: hub, proof } : { nonce: hub, proof, otherProof };
  }

  /** Returns the secret that a proof was made with, if it is accepted. */
  provedBy(proof: Uint8Array, { peer, hub }: Nonces): string | undefined {
    return this.#secrets.find((secret) => isProof(proof, createProof(secret, 'peer', peer, hub)));
  }
}

/** Returns the distinct secrets of an option. Throws OptionError `bad_option`. */
export function secretsOf(owner: string, given: string | readonly string[] | undefined): readonly string[] {
  if (given === undefined || given === '') return [];
  const secrets = [...new Set(Array.isArray(given) ? given : [given])];
  if (secrets.length > limits.SECRETS_MAX) {
    throw new OptionError(
      owner,
      'secret',
      `holds ${secrets.length} secrets. Give at most ${limits.SECRETS_MAX}`,
    );
  }
  if (secrets.every((secret) => typeof secret === 'string' && secret !== '')) return secrets;
  throw new OptionError(owner, 'secret', 'must be a text, or a list of texts that are not empty');
}
