import { expect, test } from 'vitest';
import { PendingPeers } from './pending-peers.ts';

test('PendingPeers has room for so many of each address', () => {
  const peers = new PendingPeers(2);
  expect([peers.add('a'), peers.add('a'), peers.add('a'), peers.add('b')]).toEqual([true, true, false, true]);
  expect(peers.count).toBe(3);
  peers.remove('a');
  expect(peers.add('a')).toBe(true);
  for (const address of ['a', 'a', 'b']) peers.remove(address);
  expect(peers.count).toBe(0);
});
