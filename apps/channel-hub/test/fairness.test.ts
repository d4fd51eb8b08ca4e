import { native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { expect, test } from 'vitest';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { startHub } from '../testing/start-hub.ts';

test('a single publication is delivered before the burst of another peer has ended', async () => {
  const { port } = await startHub();
  const [flooder, other, subscriber] = await Promise.all([
    NativePeer.open(port),
    NativePeer.open(port),
    NativePeer.open(port),
  ]);
  await subscriber.subscribe(channel('flood'), channel('other'));
  const fields = TEXT_FIELDS;
  const frame = native.encodePublish({ channel: 'flood', ...fields, payload: new Uint8Array(10) });
  // Work for many event-loop turns of the hub, below the limit of the subscriber's buffer.
  const count = 50_000;
  flooder.link.send(Buffer.concat(Array.from({ length: count }, () => frame)));
  flooder.link.flush();
  await subscriber.take('deliver');
  other.sendPublish('other', 'x');
  let before = 1;
  while ((await subscriber.take('deliver')).publication.channel === 'flood') before += 1;
  expect(before).toBeLessThan(count);
  // The burst is complete and in order.
  while (before < count) {
    const { publication } = await subscriber.take('deliver');
    before += 1;
    expect(publication.number).toBe(before);
  }
});

test('a publication is delivered before all pages are written for a peer that requested very many', async () => {
  const { port } = await startHub();
  const [reader, other] = await Promise.all([NativePeer.open(port), NativePeer.open(port)]);
  await reader.subscribe(channel('other'));
  const since = await reader.publish('c');
  for (let count = 0; count < 60; count++) await reader.publish('c', 'x'.repeat(1_000));
  // Up to the limit of its buffer.
  const count = 400;
  const pages = Array.from({ length: count }, () => reader.history('c', since));
  await pages[0];
  other.sendPublish('other', 'x');
  await Promise.all(pages);
  await reader.take('deliver');
  const isPage = (event: string): boolean => event.startsWith('page');
  expect(reader.events.filter(isPage)).toHaveLength(count);
  const behind = reader.events.slice(reader.events.findIndex((event) => event.startsWith('deliver')));
  expect(behind.filter(isPage).length).toBeGreaterThan(0);
});
