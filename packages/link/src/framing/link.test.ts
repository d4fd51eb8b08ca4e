import { once } from 'node:events';
import type { Socket } from 'node:net';
import { encodeFrame, HEARTBEAT_FRAME, ProtocolError } from '@groupcast/protocol';
import { handleOf } from '@groupcast/stream-handle';
import { describe, expect, type Mock, test, vi } from 'vitest';
import { Recorder } from '../../testing/recorder.ts';
import { readBytes, readToEnd, socketPair } from '../../testing/socket-pair.ts';
import { Link } from './link.ts';
import { completeLinkOptions, LINK_TABLE } from './options.ts';
import type { LinkReceiver } from './receiver.ts';

const FRAME_A = Buffer.from('0000000641aa', 'hex');
const FRAME_B = Buffer.from('00000007420102', 'hex');

/** Returns the last argument of each write to a socket. */
function spyOnWrites(socket: Socket, directSockets: boolean): Mock {
  const handle = directSockets ? handleOf(socket) : undefined;
  return handle === undefined ? vi.spyOn(socket, 'write') : vi.spyOn(handle, 'writeBuffer');
}

describe.each([true, false])('with direct sockets: %s', (directSockets) => {
  describe('receiving', () => {
    test('receives each frame, but no heartbeat, however the stream is split', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      const stream = Buffer.concat([HEARTBEAT_FRAME, FRAME_A, HEARTBEAT_FRAME, FRAME_B]);
      far.write(stream);
      await receiver.received(2);
      for (const byte of stream) far.write(Buffer.of(byte));
      const frames = await receiver.received(4);
      expect(frames.map((frame) => Buffer.from(frame))).toEqual([FRAME_A, FRAME_B, FRAME_A, FRAME_B]);
      expect(link.bytesReceived).toBe(2 * stream.length);
    });

    test.each([
      ['a length of 0', '00000000'],
      ['a length of 1', '00000001'],
      ['a length of 3', '00000003'],
      ['a length above the limit', '00000041'],
      ['the largest length', 'ffffffff'],
      ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
      ['TLS', '16030102000100'],
    ])('%s closes the link', async (_name, hex) => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      new Link(near, receiver, { directSockets, frameBytesMax: 0x40 });
      far.resume();
      far.write(Buffer.from(hex, 'hex'));
      await once(far, 'end');
      expect(await receiver.end()).toBe('protocol_error');
      expect(receiver.ends[0]?.error).toMatchObject({ code: 'bad_length' });
      expect(receiver.frames).toEqual([]);
    });

    test('the limit for frames can be raised later', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets, frameBytesMax: 6 });
      far.write(FRAME_A);
      await receiver.received(1);
      link.frameBytesMax = 7;
      far.write(FRAME_B);
      await receiver.received(2);
    });

    test('an error of the receiver closes the link, and nothing more is received', async () => {
      const { near, far } = await socketPair();
      const failure = new Error('failed');
      const recorder = new Recorder();
      const receiver: LinkReceiver = {
        receiveSpan(bytes, start, end) {
          recorder.receiveSpan(bytes, start, end);
          throw failure;
        },
        closed: (end, error) => recorder.closed(end, error),
      };
      new Link(near, receiver, { directSockets });
      far.resume();
      far.write(Buffer.concat([FRAME_A, FRAME_B]));
      await once(far, 'end');
      expect(await recorder.end()).toBe('internal_error');
      expect(recorder.ends).toEqual([{ end: 'internal_error', error: failure }]);
      expect(recorder.frames).toHaveLength(1);
    });

    test('a paused link reads nothing until it is resumed', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      link.pause();
      far.write(FRAME_A);
      // The other link's answer shows that the event loop has polled the sockets meanwhile.
      const other = await socketPair();
      const witness = new Recorder();
      new Link(other.near, witness, { directSockets });
      other.far.write(FRAME_B);
      await witness.received(1);
      expect(receiver.frames).toHaveLength(0);
      link.resume();
      await receiver.received(1);
    });
  });

  describe('sending', () => {
    test('everything sent in one turn leaves in one write, in order', async () => {
      const { near, far } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets });
      const write = spyOnWrites(near, directSockets);
      const frames = Array.from({ length: 1_000 }, (_, index) => encodeFrame(Buffer.from(`frame ${index}`)));
      for (const frame of frames) link.send(frame);
      const all = Buffer.concat(frames);
      expect(await readBytes(far, all.length)).toEqual(all);
      expect(write).toHaveBeenCalledTimes(1);
      expect(link.bytesSent).toBe(all.length);
    });

    test('adjacent frames are written as the slice that was read', async () => {
      const { near, far } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets });
      const write = spyOnWrites(near, directSockets);
      const read = Buffer.concat([FRAME_A, FRAME_B, FRAME_A]);
      link.send(read.subarray(0, 6));
      link.send(read.subarray(6, 13));
      await readBytes(far, 13);
      expect(write).toHaveBeenCalledTimes(1);
      expect(write.mock.lastCall?.at(-1)).toMatchObject({ buffer: read.buffer, length: 13 });
    });

    test('a long batch of small and large chunks arrives unchanged', async () => {
      const { near, far } = await socketPair();
      const link = new Link(near, new Recorder(), { directSockets });
      const sizes = [10, 100_000, 16_384, 16_383, 1, 2, 3, 300_000, 50_000, 7, 20_000, 8];
      const chunks = sizes.map((size, index) => Buffer.alloc(size, index + 1));
      for (const chunk of chunks) link.send(chunk);
      const all = Buffer.concat(chunks);
      expect((await readBytes(far, all.length)).equals(all)).toBe(true);
    });

    test('a slice that has to wait is copied, so that it does not keep alive what was read with it', async () => {
      const { near, far } = await socketPair();
      far.pause();
      const link = new Link(near, new Recorder(), { directSockets });
      while (link.bufferedBytes === 0) {
        link.send(Buffer.alloc(1_000_000));
        link.flush();
      }
      const write = vi.spyOn(near, 'write');
      const read = Buffer.alloc(65_536);
      link.send(read.subarray(100, 150));
      link.flush();
      const written = write.mock.calls[0]?.[0] as Uint8Array;
      expect(written).toHaveLength(50);
      expect(written.buffer).not.toBe(read.buffer);
    });
  });

  describe('a peer that does not read', () => {
    test('everything buffered counts, leaves in order, and the link continues', async () => {
      const { near, far } = await socketPair();
      far.pause();
      const link = new Link(near, new Recorder(), { directSockets });
      const sent: Buffer[] = [];
      const send = (bytes: number): void => {
        const chunk = Buffer.alloc(bytes, sent.length);
        sent.push(chunk);
        link.send(chunk);
        link.flush();
      };
      while (link.bufferedBytes === 0) {
        send(1_000_000);
        // The kernel may have accepted everything, and report that a turn later.
        for (let turns = 0; turns < 2; turns++) await new Promise(setImmediate);
      }
      const waiting = link.bufferedBytes;
      for (const bytes of [10, 20_000, 100_000]) send(bytes);
      expect(link.bufferedBytes).toBe(waiting + 120_010);
      const all = Buffer.concat(sent);
      expect((await readBytes(far, all.length)).equals(all)).toBe(true);
      await vi.waitUntil(() => link.bufferedBytes === 0);
      send(7);
      expect(await readBytes(far, 7)).toEqual(sent.at(-1));
    });

    test('a reset ends the link with socket_error', async () => {
      const { near, far } = await socketPair();
      far.pause();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      while (link.bufferedBytes === 0) {
        link.send(Buffer.alloc(1_000_000));
        link.flush();
      }
      far.resetAndDestroy();
      expect(await receiver.end()).toBe('socket_error');
      expect(link.bufferedBytes).toBe(0);
    });
  });

  describe('closing', () => {
    test('close sends the buffer first, and drops later frames', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      link.send(FRAME_A);
      link.close();
      link.send(FRAME_B);
      expect(link.state).toBe('closing');
      expect(await readToEnd(far)).toEqual(FRAME_A);
      expect(await receiver.end()).toBe('closed');
      expect(link.state).toBe('closed');
      expect(link.bufferedBytes).toBe(0);
      link.close();
      link.destroy();
      link.send(FRAME_A);
      expect(receiver.ends).toHaveLength(1);
    });

    test('the reason and the error are those given to close', async () => {
      const { near, far } = await socketPair();
      far.resume();
      const receiver = new Recorder();
      const error = new ProtocolError('bad_frame');
      new Link(near, receiver, { directSockets }).close('protocol_error', error);
      expect(await receiver.end()).toBe('protocol_error');
      expect(receiver.ends).toEqual([{ end: 'protocol_error', error }]);
    });

    test('close waits at most closeMs for a peer that does not read', async () => {
      const { near, far } = await socketPair();
      far.pause();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets, closeMs: 20 });
      link.send(Buffer.alloc(30_000_000));
      link.close();
      expect(await receiver.end()).toBe('closed');
    });

    test('a peer that has ended still gets what was sent in the same turn', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      near.prependListener('end', () => link.send(FRAME_B));
      far.end(FRAME_A);
      expect(await readToEnd(far)).toEqual(FRAME_B);
      expect(await receiver.end()).toBe('peer_closed');
      expect(receiver.ends).toEqual([{ end: 'peer_closed', error: undefined }]);
      expect(receiver.frames).toHaveLength(1);
    });

    test('a reset by the peer is a socket error', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      new Link(near, receiver, { directSockets });
      far.resetAndDestroy();
      expect(await receiver.end()).toBe('socket_error');
      expect(receiver.ends[0]?.error).toMatchObject({ code: 'ECONNRESET' });
    });

    test('a closed link reads nothing more, even if it was paused', async () => {
      const { near, far } = await socketPair();
      const receiver = new Recorder();
      const link = new Link(near, receiver, { directSockets });
      link.pause();
      far.end(FRAME_A);
      link.close();
      expect(await receiver.end()).toBe('closed');
      expect(receiver.frames).toEqual([]);
    });
  });

  describe('event-loop turns', () => {
    const TURN_WORK = 1024 * 1024;

    /** Returns the work of a whole turn for each frame, and appends the name to the events. */
    function busyReceiver(events: string[], name: string): LinkReceiver {
      return {
        receiveSpan() {
          events.push(name);
          return TURN_WORK;
        },
        receivedAll: () => 0,
        closed: () => {},
      };
    }

    test('a peer that causes much work gets many turns, and other peers get turns between them', async () => {
      const flood = await socketPair();
      const other = await socketPair();
      const events: string[] = [];
      const link = new Link(flood.near, busyReceiver(events, 'flood'), { directSockets });
      const receiver = new Recorder();
      new Link(other.near, receiver, { directSockets });
      const count = 200;
      // All of it arrives in one read, before the other peer's frame.
      flood.far.write(Buffer.concat(Array.from({ length: count }, () => FRAME_A)));
      while (events.length === 0) await new Promise(setImmediate);
      expect(events).toHaveLength(1);
      expect(link.bytesReceived).toBe(count * FRAME_A.length);
      other.far.write(FRAME_B);
      await receiver.received(1);
      expect(events.length).toBeLessThan(count);
      while (events.length < count) await new Promise(setImmediate);
    });

    test('frames held for the next turn stay in order, and are not received while the link is paused', async () => {
      const { near, far } = await socketPair();
      const frames: string[] = [];
      const link = new Link(
        near,
        {
          receiveSpan(bytes, start, end) {
            frames.push(Buffer.from(bytes.subarray(start + 4, end)).toString());
            if (frames.length === 3) link.pause();
            return TURN_WORK;
          },
          receivedAll: () => 0,
          closed: () => {},
        },
        { directSockets },
      );
      const expected = Array.from({ length: 20 }, (_, index) => `${index}`);
      far.write(Buffer.concat(expected.slice(0, 10).map((text) => encodeFrame(Buffer.from(text)))));
      while (frames.length < 3) await new Promise(setImmediate);
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      expect(frames).toHaveLength(3);
      for (const text of expected.slice(10)) far.write(encodeFrame(Buffer.from(text)));
      link.resume();
      while (frames.length < 20) await new Promise(setImmediate);
      expect(frames).toEqual(expected);
    });

    test('frames held when the link closes are dropped', async () => {
      const { near, far } = await socketPair();
      far.resume();
      const events: string[] = [];
      const link = new Link(near, busyReceiver(events, 'frame'), { directSockets });
      far.write(Buffer.concat([FRAME_A, FRAME_A, FRAME_A]));
      while (events.length === 0) await new Promise(setImmediate);
      link.close();
      await once(far, 'end');
      expect(events).toHaveLength(1);
    });

    test('frames before an invalid frame are received before the link ends', async () => {
      const { near, far } = await socketPair();
      far.resume();
      const events: string[] = [];
      const link = new Link(
        near,
        {
          receiveSpan: () => events.push('span'),
          receivedAll: () => events.push(`all, ${link.state}`),
          closed: (end) => events.push(end),
        },
        { directSockets },
      );
      far.write(Buffer.concat([FRAME_A, FRAME_B, Buffer.alloc(4)]));
      while (events.length < 4) await new Promise(setImmediate);
      expect(events).toEqual(['span', 'span', 'all, open', 'protocol_error']);
    });
  });
});

describe('options', () => {
  const NUMBERS = Object.entries(LINK_TABLE).flatMap(([name, { range }]) =>
    range === undefined ? [] : [[name, range] as const],
  );

  test.each(NUMBERS)('%s must be a number in its range', async (name, { min, max }) => {
    const { near } = await socketPair();
    for (const value of [Number.NaN, -1, min - 1, max + 1, 1.5, Number.POSITIVE_INFINITY, '5']) {
      const make = (): Link => new Link(near, new Recorder(), { [name]: value });
      expect(make, `${value}`).toThrow(expect.objectContaining({ code: 'bad_option', option: name }));
    }
    expect(near.destroyed).toBe(false);
  });

  test('the soft limit is never above the hard limit', () => {
    expect(completeLinkOptions({ bufferBytesMax: 100 })).toMatchObject({ bufferBytesSoft: 100 });
    expect(() => completeLinkOptions({ bufferBytesMax: 100, bufferBytesSoft: 101 })).toThrow(
      'Link: option bufferBytesSoft is 101, which is above bufferBytesMax. Give at most 100 (bytes).',
    );
  });
});
