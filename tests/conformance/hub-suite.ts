import { randomBytes } from 'node:crypto';
import { encodeFrame, limits, native } from '@groupcast/protocol';
import { RawSocket, until } from '@groupcast/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BAD_BODIES, BAD_FRAMES, BAD_REQUESTS } from './bad-frames.ts';
import { JsonPeer } from './json-peer.ts';

/** A running hub without a secret, with default limits. */
export interface HubTarget {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Number of its peers. */
  sessions(): Promise<number>;
  /** Memory of its process, in bytes. */
  memoryBytes(): Promise<number>;
}

const MIB = 1024 * 1024;
const KEEP_ALIVE = Buffer.from('000000040000000530', 'hex');

// More than the buffer of a peer (32 MiB) and the kernel's buffers.
const FLOOD_MESSAGES = 60;
const FLOOD_MESSAGE = 'x'.repeat(MIB);

/**
 * Behaviour of every hub with hostile peers: the rows of section 2.3 of the threat model that have
 * a surface yet, except for those about secrets. A bystander is subscribed to a channel throughout,
 * and receives all its publications.
 */
export function hubSuite(target: () => HubTarget): void {
  let bystander: JsonPeer;
  let publisher: JsonPeer;
  const opened: RawSocket[] = [];

  beforeEach(async () => {
    bystander = await JsonPeer.open(target().port);
    publisher = await JsonPeer.open(target().port);
    await bystander.send({ type: 'subscribe', id: 'join', channels: ['bystanders'] });
    await bystander.reply(({ id }) => id === 'join');
  });

  afterEach(async () => {
    for (const socket of opened.splice(0)) socket.destroy();
    await publish('still here', 'last');
    await bystander.reply(({ data }) => data === 'still here');
    await untilSessions(2);
    bystander.socket.destroy();
    publisher.socket.destroy();
    await untilSessions(0);
  });

  async function publish(data: string, id: string | number): Promise<void> {
    await publisher.send({ type: 'publish', id, channels: ['bystanders'], data });
    expect(await publisher.reply((reply) => reply['id'] === id)).toMatchObject({ type: 'published' });
  }

  async function untilSessions(count: number): Promise<void> {
    await until(
      () => target().sessions(),
      `the hub to hold ${count} peers`,
      (seen) => seen === count,
    );
  }

  async function openSocket(): Promise<RawSocket> {
    const socket = await RawSocket.open({ port: target().port });
    opened.push(socket);
    return socket;
  }

  async function openJson(): Promise<JsonPeer> {
    const peer = await JsonPeer.open(target().port);
    opened.push(peer.socket);
    return peer;
  }

  /** Opens a native peer that has been welcomed. */
  async function openNative(): Promise<RawSocket> {
    const socket = await openSocket();
    const { NATIVE_VERSION: version } = native;
    await socket.write(native.encodeHello({ version, nonce: randomBytes(32), name: 'raw' }));
    await socket.waitForBytes(limits.FRAME_HEADER_BYTES + 1);
    return socket;
  }

  describe('frames', () => {
    test.each(BAD_FRAMES)('%s closes silently, whole and byte by byte', async (_, bytes) => {
      const [whole, slow] = [await openSocket(), await openSocket()];
      await whole.write(bytes);
      for (const byte of bytes.subarray(0, 4)) await slow.write(Buffer.of(byte));
      await Promise.all([whole.closed, slow.closed]);
      expect(whole.bytesReceived + slow.bytesReceived).toBe(0);
    });

    test('H2: empty ones and the body "0" keep the connection open, without an answer', async () => {
      const peer = await openJson();
      await peer.socket.write(KEEP_ALIVE);
      await peer.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
      await peer.socket.write(KEEP_ALIVE);
      await peer.send({ type: 'publish', id: 2, channels: ['c'], data: 1 });
      await peer.reply(({ id }) => id === 2);
      expect(peer.replies.map(({ type }) => type)).toEqual(['published', 'published']);
    });

    test('H4: no memory is allocated for a length that a header claims', async () => {
      const before = await target().memoryBytes();
      const promise = Buffer.from('00a0000008', 'hex');
      const peers = await Promise.all(Array.from({ length: 50 }, openNative));
      for (const peer of peers) await peer.write(promise);
      // The answer shows that the bytes before it have been read.
      await publish('after the promises', 'after');
      expect((await target().memoryBytes()) - before).toBeLessThan(100 * MIB);
    });

    test.each(BAD_BODIES)('%s closes silently', async (_, body) => {
      const socket = await openSocket();
      await socket.write(encodeFrame(body));
      await socket.closed;
      expect(socket.bytesReceived).toBe(0);
    });

    test('H6: a change of dialect gets an error, and closes', async () => {
      const socket = await openNative();
      await socket.write(encodeFrame(Buffer.from('{"type":"subscribe","channels":["c"]}')));
      await socket.closed;
      expect(socket.received.toString('latin1')).toContain('unknown_dialect');
    });

    test('H7: a peer that subscribes or publishes before hello gets an error, and is closed', async () => {
      const socket = await openSocket();
      await socket.write(native.encodeSubscribe({ request: 1, subjects: [{ name: 'c', prefix: false }] }));
      await socket.closed;
      expect(socket.received.toString('latin1')).toContain('unauthorized');
    });
  });

  describe('JSON', () => {
    test.each(BAD_REQUESTS)('H18: %s gets an error, and the connection stays open', async (_, text, code) => {
      const peer = await openJson();
      await peer.sendText(text);
      expect(await peer.reply(({ type }) => type === 'error')).toMatchObject({ code });
      await peer.send({ type: 'publish', id: 'next', channels: ['c'], data: 1 });
      await peer.reply(({ id }) => id === 'next');
      expect(peer.replies).toHaveLength(2);
    });

    test('H18: 123 and "123" are one channel', async () => {
      const peer = await openJson();
      await peer.send({ type: 'subscribe', id: 1, channels: [123, '123'] });
      await peer.send({ type: 'publish', id: 2, channels: [123], data: 'once' });
      await peer.reply(({ id }) => id === 2);
      expect(peer.replies.filter(({ type }) => type === 'event')).toMatchObject([
        { channel: '123', data: 'once' },
      ]);
    });
  });

  test.each(['JSON', 'native'])(
    'H19: a %s peer that does not read is closed, and others receive all messages',
    async (dialect) => {
      const socket = dialect === 'JSON' ? await openSocket() : await openNative();
      await socket.write(
        dialect === 'JSON'
          ? encodeFrame(Buffer.from('{"type":"subscribe","channels":["bystanders"]}'))
          : native.encodeSubscribe({ request: 1, subjects: [{ name: 'bystanders', prefix: false }] }),
      );
      await socket.waitFor((received) => received.includes('bystanders'));
      socket.stopReading();
      const since = performance.now();
      for (let id = 0; id < FLOOD_MESSAGES; id++) await publish(FLOOD_MESSAGE, id);
      await untilSessions(2);
      // 10 s, plus a margin for a busy machine.
      expect(performance.now() - since).toBeLessThan(20_000);
      await bystander.socket.waitForBytes(FLOOD_MESSAGES * MIB);
    },
  );
}
