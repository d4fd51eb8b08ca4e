import { createNonce } from '@groupcast/link';
import { limits, ProtocolError } from '@groupcast/protocol';
import type { HubChallenge } from '../dialect/dialect.ts';
import type { PendingPeer, PendingPeers } from '../listen/pending-peers.ts';
import type { HubOptions } from '../options.ts';
import type { PeerState } from './peer-row.ts';
import type { Nonces, Secrets } from './secrets.ts';

/** The parts of a hub that its admissions share. */
export interface AdmissionDeps {
  readonly options: Pick<HubOptions, 'frameBytesMax' | 'authenticationMs'>;
  readonly secrets: Secrets;
  readonly pendingPeers: PendingPeers;
}

/** Failures of an admission that close the peer without a frame from it. */
export interface AdmissionEvents {
  /** The peer did not authenticate in time. */
  late(): void;
  /** The peer has not authenticated, and another one needs its place. */
  tooManyPending(): void;
}

/**
 * The admission of a peer: decides whether it may make requests.
 *
 *     new --hello, with a secret--> authenticating --valid proof--> open --> closed
 *     new --hello, without a secret--> open
 *     new --request of a trusted peer--> open
 *
 * Every state may change to closed.
 */
export class Admission implements PendingPeer {
  readonly #deps: AdmissionDeps;
  readonly #events: AdmissionEvents;
  readonly address: string;
  // A peer on this host, or of a hub without a secret, may begin with any request that its dialect
  // allows.
  readonly #isTrusted: boolean;
  #state: PeerState = 'new';
  #nonces: Nonces | undefined;
  #secret: string | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(deps: AdmissionDeps, events: AdmissionEvents, address: string, isLocal: boolean) {
    this.#deps = deps;
    this.#events = events;
    this.address = address;
    this.#isTrusted = isLocal || deps.secrets.count === 0;
    deps.pendingPeers.add(this);
  }

  /** The secret that the peer has proved; undefined if none. */
  get secret(): string | undefined {
    return this.#secret;
  }

  get state(): PeerState {
    return this.#state;
  }

  /** Limit of a frame from the peer now, in bytes. */
  get frameBytesMax(): number {
    const { frameBytesMax } = this.#deps.options;
    return this.mustProve ? Math.min(limits.UNAUTHENTICATED_BYTES_MAX, frameBytesMax) : frameBytesMax;
  }

  /** Whether the peer must still authenticate; until then any mistake closes it. */
  get mustProve(): boolean {
    return this.#state === 'authenticating' || (this.#state === 'new' && !this.#isTrusted);
  }

  /** Starts the deadline for authentication. Further calls do not extend it. */
  startDeadline(): void {
    this.#deps.pendingPeers.takePlace(this);
    this.hurry();
  }

  hurry(): void {
    this.#deadline ??= setTimeout(() => this.#events.late(), this.#deps.options.authenticationMs);
  }

  evict(): void {
    this.#events.tooManyPending();
  }

  /**
   * Returns the challenge that the peer must answer with a proof; undefined if it is open now.
   * Throws `bad_frame` the second time.
   */
  hello(peerNonce: Uint8Array): HubChallenge | undefined {
    if (this.#state !== 'new')
      throw new ProtocolError('bad_frame', 'HELLO must be the first request, and is sent once.');
    // Copied, to release the bytes read before the proof arrives.
    const nonces = { peer: Uint8Array.from(peerNonce), hub: createNonce() };
    const challenge = this.#deps.secrets.challenge(nonces);
    if (challenge === undefined) {
      this.#open();
      return undefined;
    }
    this.#state = 'authenticating';
    this.startDeadline();
    this.#nonces = nonces;
    return challenge;
  }

  /** Opens. Throws `unauthorized` for a wrong or an unexpected proof. */
  proof(proof: Uint8Array): void {
    const nonces = this.#nonces;
    this.#nonces = undefined;
    this.#secret = nonces && this.#deps.secrets.provedBy(proof, nonces);
    if (this.#secret === undefined) throw new ProtocolError('unauthorized');
    this.#open();
  }

  /**
   * Opens for a request without a hello, if the peer is trusted. Otherwise throws `unauthorized`.
   */
  begin(helloFirst: boolean): void {
    const mayBegin = this.#state === 'new' && this.#isTrusted && !helloFirst;
    if (!mayBegin)
      throw new ProtocolError('unauthorized', 'The peer has not authenticated. Send HELLO first.');
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
    this.#deps.pendingPeers.remove(this);
  }
}
