import fc from 'fast-check';
import { expect, test } from 'vitest';
import { excessConnections, type OpenConnection } from './excess-connections.ts';

function connection(clientId: string, openedMs: number, worker = 'w'): OpenConnection {
  return { clientId, openedMs, worker };
}

const [A, B, C] = [connection('a', 1), connection('b', 2), connection('c', 3)];

test('beyond the limit the newest are refused, or the oldest replaced', () => {
  expect([...excessConnections([C, A, B], 2, 'refuse')]).toEqual([[C, 'too_many_connections']]);
  expect([...excessConnections([C, A, B], 2, 'replace_oldest')]).toEqual([[A, 'replaced']]);
  expect(excessConnections([C, A, B], 3, 'refuse').size).toBe(0);
  expect(excessConnections([], 1, 'replace_oldest').size).toBe(0);
});

test('a client that has come back replaces its own connection only', () => {
  const again = connection('a', 9, 'other');
  for (const policy of ['refuse', 'replace_oldest'] as const)
    expect([...excessConnections([A, B, again], 2, policy)]).toEqual([[A, 'replaced']]);
});

test('in any order the same ones are beyond the limit, and the limit is used', () => {
  const connections = fc.uniqueArray(
    fc.record({
      clientId: fc.constantFrom('a', 'b', 'c', 'd'),
      openedMs: fc.integer({ min: 1, max: 3 }),
      worker: fc.constantFrom('1', '2', '3'),
    }),
    { selector: ({ clientId, worker }) => `${clientId} ${worker}` },
  );
  const policy = fc.constantFrom('refuse' as const, 'replace_oldest' as const);
  fc.assert(
    fc.property(connections, fc.integer({ min: 1, max: 4 }), policy, (all, max, chosen) => {
      const excess = excessConnections(all, max, chosen);
      expect(excessConnections(all.toReversed(), max, chosen)).toEqual(excess);
      const left = all.filter((one) => !excess.has(one));
      const clients = new Set(all.map(({ clientId }) => clientId));
      expect(new Set(left.map(({ clientId }) => clientId)).size).toBe(left.length);
      expect(left).toHaveLength(Math.min(max, clients.size));
    }),
  );
});
