import { native } from '@groupcast/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PublisherShare } from './channel-history.ts';
import { PublisherShares } from './publisher-shares.ts';

function publishOf(sender: string): Uint8Array {
  return native.encodePublish({
    ...{ channel: 'これ', kind: 'text', excludeSender: false, messageId: '', number: 0 },
    ...{ sender, payload: new Uint8Array(3) },
  });
}

test('one sender has one share with any peer; without a sender it is that of the peer', () => {
  const shares = new PublisherShares();
  const of = (sender: string, publisher: number, lead = 0): PublisherShare => {
    const frame = publishOf(sender);
    return shares.of(Buffer.concat([Buffer.alloc(lead), frame]), lead, publisher);
  };
  expect(of('me', 1)).toBe(of('me', 2, 5));
  expect(of('', 1)).toBe(of('', 1));
  // Of 4,096; a few may be the same by chance.
  const senders = new Set(Array.from({ length: 200 }, (_, index) => of(`sender${index}`, 1)));
  const peers = new Set(Array.from({ length: 200 }, (_, index) => of('', index)));
  expect(senders.size).toBeGreaterThan(180);
  expect(peers.size).toBeGreaterThan(180);
  expect(new Set(shares.all)).toEqual(new Set([...senders, ...peers, of('me', 1)]));
});

test('the largest share is found to within a fourth and a kilobyte, at any size', () => {
  const step = fc.record({ sender: fc.nat(9), power: fc.nat(40), isLess: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const shares = new PublisherShares();
      for (const { sender, power, isLess } of steps) {
        const share = shares.of(publishOf(`${sender}`), 0, 1);
        shares.addBytes(share, isLess ? -Math.floor(share.bytes / 3) : 2 ** power);
        const most = Math.max(...shares.all.map(({ bytes }) => bytes));
        expect((shares.largest()?.bytes ?? 0) * 1.25 + 1_024).toBeGreaterThanOrEqual(most);
      }
      for (const share of shares.all) shares.addBytes(share, -share.bytes);
      expect(shares.largest()).toBeUndefined();
    }),
  );
});
