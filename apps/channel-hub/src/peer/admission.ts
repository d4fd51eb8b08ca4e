import { createNonce } from '@groupcast/link';
import { limits, ProtocolError } from '@groupcast/protocol';
import type { HubChallenge } from '../dialect/dialect.ts';
import type { PendingPeer, PendingPeers } from '../listen/pending-peers.ts';
import type { HubOptions } from '../options.ts';
import type { SessionState } from './peer-row.ts';
import type { Nonces, Secrets } from './secrets.ts';

/** What the admissions of a hub share. */
export interface AdmissionShared {
  readonly options: Pick<HubOptions, 'frameBytesMax' | 'authenticationMs'>;
  readonly secrets: Secrets;
  readonly pendingPeers: PendingPeers;
}

/** How an admission can fail without a word from the peer. The session closes. */
export interface AdmissionEvents {
  /** The peer did not prove in time who it is. */
  late(): void;
  /** Others need its place, and it has not shown yet who it is. */
  tooManyPending(): void;
}

/**
 * Whether a peer may make requests.
 *
 *     new --hello, there is a secret--> authenticating --the right proof--> open --> closed
 *     new --hello, there is no secret--> open
 *     new --a request of a peer that need not prove anything--> open
 *
 * Every state leads to closed.
 */
export class Admission implements PendingPeer {
  readonly #shared: AdmissionShared;
  readonly #events: AdmissionEvents;
  readonly address: string;
  // Whoever is on this host, or comes to a hub without a secret, may begin with any request where its dialect allows it.
  readonly #isTrusted: boolean;
  #state: SessionState = 'new';
  #nonces: Nonces | undefined;
  #secret: string | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(shared: AdmissionShared, events: AdmissionEvents, address: string, isLocal: boolean) {
    this.#shared = shared;
    this.#events = events;
    this.address = address;
    this.#isTrusted = isLocal || shared.secrets.count === 0;
    shared.pendingPeers.add(this);
  }

  /** The secret that the peer has proved to know; undefined where it has proved none. */
  get secret(): string | undefined {
    return this.#secret;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Longest frame that the peer may send now, in bytes. */
  get frameBytesMax(): number {
    const { frameBytesMax } = this.#shared.options;
    return this.mustProve ? Math.min(limits.UNAUTHENTICATED_BYTES_MAX, frameBytesMax) : frameBytesMax;
  }

  /** Whether the peer has still to show who it is before it may make any mistake. */
  get mustProve(): boolean {
    return this.#state === 'authenticating' || (this.#state === 'new' && !this.#isTrusted);
  }

  /** The time to prove itself runs from now on; to call it again does not put it off. */
  startDeadline(): void {
    this.#shared.pendingPeers.takePlace(this);
    this.hurry();
  }

  hurry(): void {
    this.#deadline ??= setTimeout(() => this.#events.late(), this.#shared.options.authenticationMs);
  }

  evict(): void {
    this.#events.tooManyPending();
  }

  /** What the peer must answer to with its own proof; undefined when it is open now. Throws `bad_frame` the second time. */
  hello(peerNonce: Uint8Array): HubChallenge | undefined {
    if (this.#state !== 'new') throw new ProtocolError('bad_frame', 'Hello comes once, and first.');
    // A copy: what was read is not held until the proof comes.
    const nonces = { peer: Uint8Array.from(peerNonce), hub: createNonce() };
    const challenge = this.#shared.secrets.challenge(nonces);
    if (challenge === undefined) {
      this.#open();
      return undefined;
    }
    this.#state = 'authenticating';
    this.startDeadline();
    this.#nonces = nonces;
    return challenge;
  }

  /** Opens. Throws `unauthorized` for a wrong proof, and for one that was not asked for. */
  proof(proof: Uint8Array): void {
    const nonces = this.#nonces;
    this.#nonces = undefined;
    this.#secret = nonces && this.#shared.secrets.provedBy(proof, nonces);
    if (this.#secret === undefined) throw new ProtocolError('unauthorized');
    this.#open();
  }

  /** For a request without a hello: opens where the peer may do so. Throws `unauthorized` elsewhere. */
  begin(helloFirst: boolean): void {
    const mayBegin = this.#state === 'new' && this.#isTrusted && !helloFirst;
    if (!mayBegin) throw new ProtocolError('unauthorized', 'The session is not open. Say hello first.');
    this.#open();
  }

  close(): void {
    this.#state = 'closed';
    this.#stopWaiting();
  }

  #open(): void {
    this.#state = 'open';
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    clearTimeout(this.#deadline);
    this.#shared.pendingPeers.remove(this);
  }
}
