/** Receiver of the page's events: a Connector. */
export interface PageFollower {
  /** Connects at once, or checks the connection, after a change of the network or a sleep. */
  wake(): void;
  /** Closes the connection. Returns whether it had an effect. */
  suspend(): boolean;
  resume(): void;
}

interface PageEvent {
  readonly type: string;
  /** Set with `pagehide` and `pageshow` for a page in the back/forward cache. */
  readonly persisted?: boolean;
}

interface Page {
  addEventListener?(type: string, listener: (event: PageEvent) => void): void;
  removeEventListener?(type: string, listener: (event: PageEvent) => void): void;
  readonly document?: { readonly visibilityState: string };
}

const TYPES = ['online', 'offline', 'visibilitychange', 'pagehide', 'pageshow'];

/** Forwards the events of the page or worker to a connector. Returns a function that stops it. */
export function followPage(follower: PageFollower): () => void {
  const page = globalThis as unknown as Page;
  let hasSuspended = false;
  const listener = ({ type, persisted }: PageEvent): void => {
    if (type === 'pagehide') {
      // Browsers cut the connection of a cached page, and some do not cache a page with one.
      if (persisted) hasSuspended = follower.suspend();
    } else if (type === 'pageshow') {
      if (hasSuspended) follower.resume();
      hasSuspended = false;
    } else if (type !== 'visibilitychange' || page.document?.visibilityState === 'visible') {
      follower.wake();
    }
  };
  for (const type of TYPES) page.addEventListener?.(type, listener);
  return () => {
    for (const type of TYPES) page.removeEventListener?.(type, listener);
  };
}
