import { expect, test } from 'vitest';
import { type PendingPeer, PendingPeers } from './pending-peers.ts';

const calls: string[] = [];

function peer(peers: PendingPeers, name: string, address: string): PendingPeer {
  const made: PendingPeer = {
    address,
    hurry: () => calls.push(`hurry ${name}`),
    evict: () => {
      calls.push(`evict ${name}`);
      peers.remove(made);
    },
  };
  peers.add(made);
  return made;
}

/** Calls to peers since the last call. */
function recentCalls(): string[] {
  return calls.splice(0);
}

test.each([1, 2])(
  'beyond %i places of an address its oldest peer is evicted, and no peer of another address',
  (max) => {
    const peers = new PendingPeers(max);
    const places = ['a1', 'a2', 'a3'].slice(0, max).map((name) => peer(peers, name, 'a'));
    for (const one of places) peers.takePlace(one);
    peers.takePlace(peer(peers, 'b', 'b'));
    expect([peers.count, recentCalls()]).toEqual([max + 1, []]);
    const late = peer(peers, 'late', 'a');
    peers.takePlace(late);
    peers.takePlace(late);
    expect([peers.count, recentCalls()]).toEqual([max + 1, ['evict a1']]);
    for (const one of [...places, late]) peers.remove(one);
    expect(peers.count).toBe(1);
  },
);

test('all are hurried once, and the oldest of all is evicted first, with a place or without', () => {
  const peers = new PendingPeers(2);
  const gone = peer(peers, 'gone', '');
  peer(peers, 'silent', '');
  peers.takePlace(peer(peers, 'proves', 'a'));
  peers.remove(gone);
  peers.hurry();
  peers.hurry();
  expect(recentCalls()).toEqual(['hurry silent', 'hurry proves']);
  expect([peers.evictOldest(), peers.evictOldest(), peers.evictOldest()]).toEqual([true, true, false]);
  expect([peers.count, recentCalls()]).toEqual([0, ['evict silent', 'evict proves']]);
});
