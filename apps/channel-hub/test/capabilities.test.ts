import { encodeFrame, native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { BarePeer, bare } from '../testing/bare-peer.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { closedAs, startHub } from '../testing/start-hub.ts';

const { ALL_CAPABILITIES, CAPABILITIES } = native;
const { extended, ephemeral, keyed } = CAPABILITIES;
const SECRET = 'correct horse battery staple';
const NOWHERE = { epoch: '', offset: 0 };
const VALUE = { keyed: { key: 'k', lifeMs: 0 } };

/** Returns the bit of an opcode that has no meaning yet. */
function bitOf(opcode: number): number {
  return 1 << (16 + opcode - 0x16);
}

describe('a request that needs a capability', () => {
  test.each([
    ['an ephemeral PUBLISH', extended | keyed, { ephemeral: true }],
    ['a keyed PUBLISH', extended | ephemeral, VALUE],
  ])('%s is rejected without it, and the peer stays', async (_name, capabilities, fields) => {
    const { hub, port } = await startHub();
    const peer = await NativePeer.openWith(port, capabilities);
    const request = peer.sendPublishWith('c', 'x', fields);
    expect(await peer.take('error')).toMatchObject({ request, code: 'unsupported' });
    // Without a request number it is only counted: an ERROR would end the connection.
    peer.sendPublishWith('c', 'x', fields, 0);
    await peer.settle();
    expect(hub.stats()).toMatchObject({ rejected: { unsupported: 2 }, published: 1, connectedPeers: 1 });
  });

  test('a HISTORY with the snapshot flag is rejected without it, and one without the flag is not', async () => {
    const { hub, port } = await startHub();
    const peer = await NativePeer.openWith(port, extended | ephemeral);
    const request = peer.sendHistory('c', NOWHERE, { snapshot: true });
    expect(await peer.take('error')).toMatchObject({ request, code: 'unsupported' });
    expect((await peer.history('c', NOWHERE, { last: 3 })).page.verdict).toBe('recovered');
    expect(hub.stats().rejected).toEqual({ unsupported: 1 });
  });

  test('is unauthorized before the proof', async () => {
    const { hub, port } = await startHub({ secret: SECRET });
    const peer = await NativePeer.connect(port);
    peer.hello('test', extended);
    await peer.take('challenge');
    peer.sendPublishWith('c', 'x', { ephemeral: true });
    expect(await peer.take('error')).toMatchObject({ request: 0, code: 'unauthorized' });
    await closedAs(hub, 'unauthorized');
  });
});

test('a peer with the extended layouts only gets keyed publications without their key, and nothing ephemeral', async () => {
  const { hub, port } = await startHub();
  const peer = await NativePeer.openWith(port, extended);
  const other = await NativePeer.open(port);
  const [subscribed] = await peer.subscribe(channel('c'));
  await other.publishWith('c', 'one', { ...VALUE, meta: '{}', messageId: 'm', sender: 's' });
  await other.publishWith('c', 'not this one', { ephemeral: true });
  await other.publishWith('c', 'two');
  const one = { channel: 'c', meta: '{}', messageId: 'm', sender: 's', keyed: undefined };
  const live = [(await peer.take('deliver')).publication, (await peer.take('deliver')).publication];
  expect(live.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['one', 'two']);
  expect(live).toMatchObject([{ ...one, number: 1 }, { number: 2 }]);
  expect(hub.stats()).toMatchObject({ delivered: 2, ephemeralDropped: 0 });
  const { publications } = await peer.history('c', subscribed!.position);
  expect(publications).toEqual(live);
});

describe('an opcode of a later version', () => {
  test.each([0x16, 0x17, 0x1f])('%i is skipped and counted if the peer announced it', async (opcode) => {
    const { hub, port } = await startHub();
    const peer = await NativePeer.openWith(port, ALL_CAPABILITIES | bitOf(opcode));
    for (const body of [[opcode], [opcode, 1, 2, 3]]) peer.link.send(encodeFrame(Uint8Array.from(body)));
    await peer.settle();
    expect(hub.stats()).toMatchObject({ skippedFrames: 2, rejected: {}, connectedPeers: 1 });
  });

  test('is skipped from a peer that announced it without the extended layouts', async () => {
    const { hub, port } = await startHub();
    const peer = await BarePeer.connect(port);
    await peer.send(`00000033${bare('hello').slice(8)}00010000`, '0000000516', bare('enqueue, a text'));
    expect([await peer.take(), await peer.take()]).toEqual([bare('welcome'), bare('enqueued')]);
    expect(hub.stats().skippedFrames).toBe(1);
    peer.destroy();
  });

  test('ends the connection if the peer announced another one', async () => {
    const { hub, port } = await startHub();
    const peer = await NativePeer.openWith(port, ALL_CAPABILITIES | bitOf(0x16));
    peer.link.send(encodeFrame(Uint8Array.of(0x17)));
    expect(await peer.take('error')).toMatchObject({ request: 0, code: 'bad_frame' });
    await peer.ended();
    expect(hub.stats().skippedFrames).toBe(0);
  });

  test('ends the connection before the proof', async () => {
    const { hub, port } = await startHub({ secret: SECRET });
    const peer = await NativePeer.connect(port);
    peer.hello('test', ALL_CAPABILITIES | bitOf(0x16));
    await peer.take('challenge');
    peer.link.send(encodeFrame(Uint8Array.of(0x16)));
    await closedAs(hub, 'unauthorized');
  });
});

test('fields of a later version behind the last one are ignored', async () => {
  const { hub, port } = await startHub();
  const peer = await NativePeer.open(port);
  const frame = native.encodeSubscribe({ request: 9, subjects: [channel('c')] });
  peer.link.send(encodeFrame(Buffer.concat([frame.subarray(4), Buffer.from('later')])));
  expect(await peer.take('subscribed')).toMatchObject({ request: 9, entries: [{ name: 'c' }] });
  expect(hub.stats().subscriptions).toBe(1);
});
