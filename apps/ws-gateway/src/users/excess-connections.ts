/** Treatment of the connections of a user beyond the limit. */
export type ConnectionPolicy = 'refuse' | 'replace_oldest';

/** A connection of a user on any worker. */
export interface OpenConnection {
  readonly clientId: string;
  /** Time by the clock of the hub, in milliseconds since 1970. */
  readonly openedMs: number;
  /** Id of the worker that has it. */
  readonly worker: string;
}

/**
 * Returns which connections of a user are beyond `max`: the newest ones with `refuse`, the oldest
 * ones with `replace_oldest`. A client has one connection: the newest replaces the others. All
 * workers that know the same connections get the same result, in any order.
 */
export function excessConnections(
  connections: Iterable<OpenConnection>,
  max: number,
  policy: ConnectionPolicy,
): ReadonlyMap<OpenConnection, 'replaced' | 'too_many_connections'> {
  const excess = new Map<OpenConnection, 'replaced' | 'too_many_connections'>();
  const byClient = new Map<string, OpenConnection>();
  for (const connection of [...connections].sort(compare)) {
    const older = byClient.get(connection.clientId);
    if (older !== undefined) excess.set(older, 'replaced');
    byClient.set(connection.clientId, connection);
  }
  const kept = [...byClient.values()].sort(compare);
  const tooMany = Math.max(0, kept.length - max);
  if (policy === 'replace_oldest')
    for (const oldest of kept.slice(0, tooMany)) excess.set(oldest, 'replaced');
  else for (const newest of kept.slice(kept.length - tooMany)) excess.set(newest, 'too_many_connections');
  return excess;
}

/** Compares by time, and at the same time by what is the same everywhere. */
function compare(one: OpenConnection, other: OpenConnection): number {
  return (
    one.openedMs - other.openedMs ||
    compareText(one.clientId, other.clientId) ||
    compareText(one.worker, other.worker)
  );
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
