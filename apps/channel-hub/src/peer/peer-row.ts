/** State of a peer: see Admission. */
export type PeerState = 'new' | 'authenticating' | 'open' | 'closed';

/** One peer, for display. */
export interface PeerRow {
  readonly id: number;
  /** Name that the peer gave itself: untrusted, and not safe for a terminal. */
  readonly name: string;
  /** ADDRESS:PORT of the peer, or `unix socket`. */
  readonly address: string;
  readonly dialect: 'native' | 'json' | 'php' | undefined;
  readonly state: PeerState;
  /** Channels and prefixes that it is subscribed to. */
  readonly subscriptions: number;
  /** Publications and items received from it. */
  readonly received: number;
  /** Publications and items sent to it. */
  readonly delivered: number;
  readonly bufferedBytes: number;
}
