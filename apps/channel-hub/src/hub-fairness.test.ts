import { native } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { channel, NativePeer } from './testing/native-peer.ts';
import { startHub } from './testing/start-hub.ts';

test('the one publication of a peer gets through before the burst of another one has ended', async () => {
  const { port } = await startHub();
  const [flooder, other, follower] = await Promise.all([
    NativePeer.open(port),
    NativePeer.open(port),
    NativePeer.open(port),
  ]);
  await follower.subscribe(channel('flood'), channel('other'));
  const fields = { kind: 'text', excludeSender: false, sender: '', messageId: '', number: 0 } as const;
  const frame = native.encodePublish({ channel: 'flood', ...fields, payload: new Uint8Array(10) });
  // As much as a hub works on in many turns, and less than its follower may have waiting.
  const count = 200_000;
  flooder.link.send(Buffer.concat(Array.from({ length: count }, () => frame)));
  flooder.link.flush();
  await follower.take('deliver');
  other.submit('other', 'x');
  let before = 1;
  while ((await follower.take('deliver')).publication.channel === 'flood') before += 1;
  expect(before).toBeLessThan(count);
  // And nothing of the burst is lost or out of order.
  while (before < count) {
    const { publication } = await follower.take('deliver');
    before += 1;
    expect(publication.number).toBe(before);
  }
});
