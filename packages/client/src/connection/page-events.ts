/** What follows the page: a Connector. */
export interface PageFollower {
  /** Connects at once, or checks the connection: the network may have changed, or the page has slept. */
  wake(): void;
  /** Returns whether it was not suspended before. */
  suspend(): boolean;
  resume(): void;
}

interface PageEvent {
  readonly type: string;
  /** Of `pagehide` and `pageshow`: whether the page is, or was, in the back/forward cache. */
  readonly persisted?: boolean;
}

interface Page {
  addEventListener?(type: string, listener: (event: PageEvent) => void): void;
  removeEventListener?(type: string, listener: (event: PageEvent) => void): void;
  readonly document?: { readonly visibilityState: string };
}

const TYPES = ['online', 'offline', 'visibilitychange', 'pagehide', 'pageshow'];

/** Tells a connector of the page, or the worker, where there is one. Returns what ends that. */
export function followPage(follower: PageFollower): () => void {
  const page = globalThis as unknown as Page;
  let hasSuspended = false;
  const listener = ({ type, persisted }: PageEvent): void => {
    if (type === 'pagehide') {
      // A browser may drop a cached page for its open connection, and always cuts the connection.
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
