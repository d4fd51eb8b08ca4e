import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { BarePeer, bare } from '../testing/bare-peer.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { closedAs, startHub } from '../testing/start-hub.ts';

const GROUP = Buffer.from('group:123').toString('hex');
const SECRET = 'correct horse battery staple';

/** Eight bytes, as hex digits. */
function u64(value: number): string {
  return value.toString(16).padStart(16, '0');
}

/** A frame with this number in place of its own. */
function withNumber(frame: string, number: number): string {
  return frame.slice(0, 24) + u64(number) + frame.slice(40);
}

/** A DELIVER of the text in `group:123`, without sender and message id. */
function deliver(offset: number, text: string): string {
  const payload = Buffer.from(text).toString('hex');
  const length = (29 + text.length).toString(16).padStart(8, '0');
  return `${length}0900000900000000${u64(offset)}${GROUP}${payload}`;
}

/** A PUBLISH of a text to `group:123` that is `length` bytes long. */
function publish(number: number, length: number): string {
  const payload = '78'.repeat(length - 29);
  return `${length.toString(16).padStart(8, '0')}0800000900000000${u64(number)}${GROUP}${payload}`;
}

/** The epoch of the hub, from a SUBSCRIBED of one channel. */
function epochOf(subscribed: string): string {
  return subscribed.slice(-44);
}

describe.each([
  ['whole frames', false],
  ['byte by byte', true],
])('a peer without capabilities that sends %s', (_name, isBytewise) => {
  test('is welcomed, subscribes, publishes and gets deliveries in bytes that never change', async () => {
    const { port } = await startHub();
    const peer = await BarePeer.connect(port, isBytewise);
    await peer.send(bare('hello'));
    expect(await peer.take()).toBe(bare('welcome'));
    await peer.send(bare('subscribe, one channel'));
    const subscribed = await peer.take();
    const epoch = epochOf(subscribed);
    expect(subscribed).toBe(`0000003a060000000000000001000100${'0009'}${GROUP}${u64(0)}16${epoch}`);

    await peer.send(bare('publish, text'));
    const published = `0000002c0a${u64(1)}${u64(1)}16${epoch}`;
    expect([await peer.take(), await peer.take()].sort()).toEqual([published, bare('deliver, text')].sort());
    await peer.send(withNumber(bare('publish, kept from the sender, with a message id'), 0));
    expect(await peer.take()).toBe(withNumber(bare('deliver, kept from the sender, with a message id'), 2));
    // Its repetition is not delivered again.
    await peer.send(withNumber(bare('publish, kept from the sender, with a message id'), 0));
    await peer.send(withNumber(bare('publish, JSON'), 0));
    expect(await peer.take()).toBe(withNumber(bare('deliver, JSON'), 3));
    await peer.send(bare('unsubscribe'), withNumber(bare('publish, JSON'), 5));
    expect(await peer.take()).toBe(`0000002c0a${u64(5)}${u64(4)}16${epoch}`);
    peer.destroy();
  });

  test('gets what another peer publishes with meta and keys in its own layout, and nothing ephemeral', async () => {
    const { port } = await startHub();
    const [peer, other] = [await BarePeer.open(port, isBytewise), await NativePeer.open(port)];
    await peer.send(bare('subscribe, one channel'));
    const epoch = epochOf(await peer.take());
    const keyed = { key: 'ann', lifeMs: 60_000 };
    await other.publishWith('group:123', 'one', { meta: '{"uid":"ann"}' });
    await other.publishWith('group:123', 'not this one', { ephemeral: true });
    await other.publishWith('group:123', 'two', { keyed, meta: '{}' });
    await other.publishWith('group:123', '', { keyed });
    await other.publishWith('group:123', 'not this one', { ephemeral: true });
    // A run.
    for (const text of ['four', 'five']) other.sendPublish('group:123', text);
    const frames = [
      deliver(1, 'one'),
      deliver(2, 'two'),
      deliver(3, ''),
      deliver(4, 'four'),
      deliver(5, 'five'),
    ];
    for (const frame of frames) expect(await peer.take()).toBe(frame);

    // The same as a page: HISTORY, request 9, after offset 0.
    await peer.send(`000000370c${u64(9)}${u64(0)}16${epoch}0009${GROUP}`);
    expect(await peer.take()).toBe(`000000310d${u64(9)}00${u64(5)}16${epoch}00000005`);
    for (const frame of frames) expect(await peer.take()).toBe(frame);
    peer.destroy();
  });

  test('subscribes to a prefix, and learns its position by a page of another epoch', async () => {
    const { port } = await startHub();
    const [peer, other] = [await BarePeer.open(port, isBytewise), await NativePeer.open(port)];
    // SUBSCRIBE, request 2, the prefix `group:`.
    await peer.send(`00000018050000000000000002000101${'0006'}67726f75703a`);
    expect(await peer.take()).toBe(`00000021060000000000000002000101${'0006'}67726f75703a${u64(0)}00`);
    await other.publishWith('group:123', 'not this one', { ephemeral: true });
    await other.publishWith('group:123', 'one', { meta: '{}' });
    expect(await peer.take()).toBe(deliver(1, 'one'));
    await peer.send(bare('history'));
    expect((await peer.take()).replace(/16.{44}00000000$/, 'EPOCH')).toBe(
      `000000310d${u64(9)}01${u64(1)}EPOCH`,
    );
    peer.destroy();
  });

  test('works on the items of a queue', async () => {
    const { port } = await startHub();
    const [peer, other] = [await BarePeer.open(port, isBytewise), await NativePeer.open(port)];
    await peer.send(bare('enqueue, a text'));
    expect(await peer.take()).toBe(bare('enqueued'));
    await peer.send(bare('watch, one at a time'));
    expect(await peer.take()).toBe(bare('item, the first attempt'));
    await peer.send(bare('failed'));
    const again = bare('item, the first attempt').replace('13000001', '13000002');
    expect(await peer.take()).toBe(again);
    await peer.send(bare('done').replace('140001', '140002'));
    // An item with a message id, which the bare layout does not have.
    const item = { request: 1, queue: 'jobs', kind: 'text', payload: 'hi', messageId: 'm1' } as const;
    other.enqueueItem(item);
    expect(await peer.take()).toBe(`000000181300${'0001'}${u64(2)}00046a6f62736869`);
    await peer.send(bare('unwatch'));
    peer.destroy();
  });

  test('proves the secret', async () => {
    const { hub, port } = await startHub({ secret: SECRET });
    const peer = await BarePeer.connect(port, isBytewise);
    await peer.send(bare('hello'));
    const challenge = Buffer.from(await peer.take(), 'hex');
    expect(challenge.subarray(0, 5).toString('hex')).toBe('0000004502');
    const nonces = Buffer.concat([
      Buffer.from(bare('hello'), 'hex').subarray(6, 38),
      challenge.subarray(5, 37),
    ]);
    const proof = createHmac('sha256', SECRET).update('groupcast/1 peer\n').update(nonces).digest('hex');
    await peer.send(`0000002503${proof}`);
    expect(await peer.take()).toBe(bare('welcome'));
    expect(hub.peers()).toMatchObject([{ name: 'worker 1', dialect: 'native', state: 'open' }]);
    peer.destroy();
  });
});

test('a bare PUBLISH that would be too long as a DELIVER of other peers is rejected, and the peer stays', async () => {
  const { hub, port } = await startHub({ frameBytesMax: 512 });
  const [peer, member] = [await BarePeer.open(port), await NativePeer.open(port)];
  await member.subscribe(channel('group:123'));
  // The layout of others has 8 bytes more, which 505 do not leave.
  await peer.send(publish(1, 505), publish(0, 505), publish(2, 504));
  const code = Buffer.from('bad_length').toString('hex');
  expect((await peer.take()).slice(8, 48)).toBe(`0b${u64(1)}0a${code}`.slice(0, 40));
  expect((await peer.take()).slice(8, 26)).toBe(`0a${u64(2)}`);
  await member.take('deliver');
  expect(member.deliverFrames.map(({ length }) => length)).toEqual([512]);
  expect(hub.stats()).toMatchObject({ published: 1, rejected: { bad_length: 2 }, connectedPeers: 2 });
  peer.destroy();
});

describe('a peer without capabilities gets bad_frame and is closed when it sends', () => {
  const valid = bare('publish, text');

  test.each([
    ['a PUBLISH without its number', `00000013${valid.slice(8, 38)}`],
    ['a PUBLISH that ends in its channel name', `00000018${valid.slice(8, 48)}`],
    ['a PUBLISH with a length of meta', `${valid.slice(0, 20)}0001${valid.slice(24)}`],
    ['an ephemeral PUBLISH', `${valid.slice(0, 10)}08${valid.slice(12)}`],
    ['a keyed PUBLISH', `${valid.slice(0, 10)}10${valid.slice(12)}`],
    ['an unknown opcode', '0000000516'],
    ['an ENQUEUE that ends in its number', '0000000b0f000000000000'],
    ['an ENQUEUE that ends in its queue', `000000150f000000${u64(1)}${'0004'}6a6f62`],
    ['an ENQUEUE without a queue', `000000100f000000${u64(1)}`],
  ])('%s', async (_name, frame) => {
    const { hub, port } = await startHub();
    const peer = await BarePeer.open(port);
    await peer.send(frame, bare('publish, text'));
    expect(await peer.take()).toContain(`0b${u64(0)}09${Buffer.from('bad_frame').toString('hex')}`);
    await peer.closed();
    await closedAs(hub, 'bad_frame');
    expect(hub.stats()).toMatchObject({ published: 0, queues: { enqueued: 0 } });
  });
});
