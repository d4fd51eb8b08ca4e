import { encodeFrame, HEARTBEAT_FRAME } from '@groupcast/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Recorder } from '../../testing/recorder.ts';
import { readBytes, socketPair } from '../../testing/socket-pair.ts';
import { Link } from './link.ts';
import { HEARTBEAT_MS } from './options.ts';

const FRAME = encodeFrame(Buffer.from('A'));
const SECOND = 1_000;

// The test advances the ticks. The sockets are real.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([true, false])('with direct sockets: %s', (directSockets) => {
  describe('heartbeats', () => {
    test('heartbeats are sent when nothing else was sent for heartbeatMs', async () => {
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

    test('a peer that sends nothing for three heartbeats is closed as silent', async () => {
      const { near } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      link.startHeartbeats(HEARTBEAT_MS);
      vi.advanceTimersByTime(15 * SECOND);
      expect(link.state).toBe('open');
      vi.advanceTimersByTime(1 * SECOND);
      expect(await receiver.end()).toBe('silent');
    });

    test('any data of the peer counts as a sign of life', async () => {
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

    test('a peer is not blamed for silence while the link is paused', async () => {
      const { near } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets });
      link.startHeartbeats(HEARTBEAT_MS);
      link.pause();
      vi.advanceTimersByTime(60 * SECOND);
      expect(link.state).toBe('open');
    });

    test('without heartbeats a link may be silent forever, and sends nothing', async () => {
      const { near } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets });
      vi.advanceTimersByTime(3_600 * SECOND);
      expect(link.state).toBe('open');
      expect(link.bufferedBytes + link.bytesSent).toBe(0);
    });
  });

  describe('a partial frame', () => {
    test('must be complete within frameMs, even if its bytes arrive one by one', async () => {
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

    test('has its own time limit, not that of the frame before', async () => {
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
    test('is closed above the hard limit, which is exceeded by one message at most', async () => {
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

    test('is not closed for one message above the limit', async () => {
      const { near, far } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets, bufferBytesMax: 1_000 });
      const message = Buffer.alloc(1_000_000, 7);
      link.send(message);
      expect((await readBytes(far, message.length)).equals(message)).toBe(true);
      expect(link.state).toBe('open');
    });

    test('is not closed after it accepted a message above the limit', async () => {
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

    test('is not closed while it accepts a long message slowly', async () => {
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
      // It is one write, and all of it is buffered until its end.
      while (link.bufferedBytes > 0) {
        enough = read + 6_000_000;
        far.resume();
        while (read < enough && link.bufferedBytes > 0) await new Promise(setImmediate);
        vi.advanceTimersByTime(9 * SECOND);
        expect(link.state).toBe('open');
      }
    });

    test('is closed when its buffer stays above the soft limit', async () => {
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

    test('gets all of its time again once its buffer was below the soft limit', async () => {
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
