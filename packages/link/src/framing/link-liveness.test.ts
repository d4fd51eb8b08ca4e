import { encodeFrame, HEARTBEAT_FRAME } from '@groupcast/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Recorder } from '../../testing/recorder.ts';
import { readBytes, socketPair } from '../../testing/socket-pair.ts';
import { Link } from './link.ts';
import { HEARTBEAT_MS } from './options.ts';

const FRAME = encodeFrame(Buffer.from('A'));
const SECOND = 1_000;

// The ticks are the test's; the sockets are real, and are waited for.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([true, false])('with direct sockets: %s', (directSockets) => {
  describe('heartbeats', () => {
    test('are sent when nothing else was for heartbeatMs', async () => {
      const { near, far } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets });
      link.startHeartbeats(HEARTBEAT_MS);
      vi.advanceTimersByTime(4 * SECOND);
      link.send(FRAME);
      link.flush();
      vi.advanceTimersByTime(4 * SECOND);
      expect(link.bufferedBytes).toBe(0);
      vi.advanceTimersByTime(1 * SECOND);
      const expected = Buffer.concat([FRAME, HEARTBEAT_FRAME]);
      expect(await readBytes(far, expected.length)).toEqual(expected);
    });

    test('a peer from which nothing comes for three of them is gone', async () => {
      const { near } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      link.startHeartbeats(HEARTBEAT_MS);
      vi.advanceTimersByTime(15 * SECOND);
      expect(link.state).toBe('open');
      vi.advanceTimersByTime(1 * SECOND);
      expect(await receiver.end()).toBe('silent');
    });

    test('whatever comes from the peer shows that it lives', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      link.startHeartbeats(HEARTBEAT_MS);
      for (let round = 0; round < 4; round++) {
        vi.advanceTimersByTime(15 * SECOND);
        far.write(Buffer.concat([HEARTBEAT_FRAME, FRAME]));
        await receiver.received(round + 1);
      }
      expect(link.state).toBe('open');
    });

    test('a peer that is not listened to is not blamed for being silent', async () => {
      const { near } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets });
      link.startHeartbeats(HEARTBEAT_MS);
      link.pause();
      vi.advanceTimersByTime(60 * SECOND);
      expect(link.state).toBe('open');
    });

    test('where they were not started, a link may be silent for ever, and sends nothing', async () => {
      const { near } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets });
      vi.advanceTimersByTime(3_600 * SECOND);
      expect(link.state).toBe('open');
      expect(link.bufferedBytes + link.bytesSent).toBe(0);
    });
  });

  describe('a frame that was begun', () => {
    test('must be complete in frameMs, however its bytes drip', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      far.write(Buffer.from('0000ffff', 'hex'));
      while (link.bytesReceived < 4) await new Promise(setImmediate);
      for (let second = 1; second <= 30; second++) {
        vi.advanceTimersByTime(1 * SECOND);
        far.write('x');
        while (link.bytesReceived < 4 + second) await new Promise(setImmediate);
      }
      expect(link.state).toBe('open');
      vi.advanceTimersByTime(1 * SECOND);
      expect(await receiver.end()).toBe('stalled');
    });

    test('has its own time, not that of the frames before', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      const half = FRAME.subarray(0, 2);
      far.write(half);
      for (let round = 0; round < 4; round++) {
        while (link.bytesReceived < half.length + round * FRAME.length) await new Promise(setImmediate);
        vi.advanceTimersByTime(29 * SECOND);
        far.write(Buffer.concat([FRAME.subarray(2), half]));
        await receiver.received(round + 1);
      }
      expect(link.state).toBe('open');
    });
  });

  describe('a peer that does not read', () => {
    test('is closed when the hard bound is passed, by one message at most', async () => {
      const { near, far } = await socketPair();
      far.pause();
      const receiver = new Recorder();
      const bufferBytesMax = 4_000_000;
      const link = new Link(near, receiver, { directSockets, bufferBytesMax });
      const message = Buffer.alloc(100_000);
      let queued = 0;
      for (;;) {
        link.send(message);
        if (link.state !== 'open') break;
        queued = link.bufferedBytes;
        link.flush();
      }
      expect(queued).toBeGreaterThan(bufferBytesMax);
      expect(queued).toBeLessThanOrEqual(bufferBytesMax + message.length);
      expect(await receiver.end()).toBe('slow');
    });

    test('is not what a peer is that gets one message longer than the bound', async () => {
      const { near, far } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets, bufferBytesMax: 1_000 });
      const message = Buffer.alloc(1_000_000, 7);
      link.send(message);
      expect((await readBytes(far, message.length)).equals(message)).toBe(true);
      expect(link.state).toBe('open');
    });

    test('is not what a peer is that takes one message longer than the bound, whatever follows it', async () => {
      const { near, far } = await socketPair();
      far.pause();
      const link = new Link(near, new Recorder(), {
        directSockets,
        bufferBytesMax: 1_000,
        bufferBytesSoft: 1_000,
      });
      const message = Buffer.alloc(16_000_000, 7);
      link.send(message);
      link.flush();
      expect(link.bufferedBytes).toBeGreaterThan(1_000);
      link.send(Buffer.alloc(1_000, 8));
      expect(link.state).toBe('open');
      await readBytes(far, message.length + 1_000);
      expect(link.state).toBe('open');
    });

    test('is not what a peer is that takes a long message slowly', async () => {
      const { near, far } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets, bufferBytesSoft: 1_000_000 });
      link.send(Buffer.alloc(48_000_000, 7));
      link.flush();
      let read = 0;
      let enough = 0;
      far.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read >= enough) far.pause();
      });
      // As long as it is, it is one write, and all of it counts as waiting until its end.
      while (link.bufferedBytes > 0) {
        enough = read + 6_000_000;
        far.resume();
        while (read < enough && link.bufferedBytes > 0) await new Promise(setImmediate);
        vi.advanceTimersByTime(9 * SECOND);
        expect(link.state).toBe('open');
      }
    });

    test('is closed when its queue stays above the soft bound', async () => {
      const { near, far } = await socketPair();
      far.pause();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets, bufferBytesSoft: 1_000_000 });
      link.send(Buffer.alloc(16_000_000));
      link.flush();
      vi.advanceTimersByTime(10 * SECOND);
      expect(link.state).toBe('open');
      vi.advanceTimersByTime(1 * SECOND);
      expect(await receiver.end()).toBe('slow');
    });

    test('has all its time again once its queue fell below the soft bound', async () => {
      const { near, far } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets, bufferBytesSoft: 1_000_000 });
      for (let round = 0; round < 3; round++) {
        far.pause();
        link.send(Buffer.alloc(16_000_000));
        link.flush();
        vi.advanceTimersByTime(9 * SECOND);
        expect(link.bufferedBytes).toBeGreaterThan(1_000_000);
        await readBytes(far, 16_000_000);
        while (link.bufferedBytes > 0) await new Promise(setImmediate);
        vi.advanceTimersByTime(1 * SECOND);
      }
      expect(link.state).toBe('open');
    });
  });
});
