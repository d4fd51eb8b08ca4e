/** See Session. */
export type SessionState = 'new' | 'authenticating' | 'open' | 'closed';

/** One session, for people to look at. */
export interface SessionRow {
  readonly id: number;
  /** As the peer calls itself: not trusted, and not safe for a terminal. */
  readonly name: string;
  /** ADDRESS:PORT of the peer, or `unix socket`. */
  readonly address: string;
  readonly dialect: 'native' | 'json' | 'php' | undefined;
  readonly state: SessionState;
  /** Channels and prefixes that it follows. */
  readonly subjects: number;
  /** Publications and items that came from it. */
  readonly received: number;
  /** Publications and items that were sent to it. */
  readonly delivered: number;
  readonly queuedBytes: number;
}
