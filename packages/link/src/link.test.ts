import { once } from 'node:events';
import { encodeFrame, HEARTBEAT_FRAME, ProtocolError } from '@groupcast/protocol';
import { describe, expect, test, vi } from 'vitest';
import { Link, type LinkReceiver } from './link.ts';
import { Recorder } from './testing/recorder.ts';
import { readBytes, readToEnd, socketPair } from './testing/socket-pair.ts';

const FRAME_A = Buffer.from('0000000641aa', 'hex');
const FRAME_B = Buffer.from('00000007420102', 'hex');

describe('receiving', () => {
  test('hands on each frame, and no heartbeat, however the bytes come', async () => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    const link = new Link(near, receiver);
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
  ])('%s ends the link', async (_name, hex) => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    new Link(near, receiver, { frameBytesMax: 0x40 });
    far.resume();
    far.write(Buffer.from(hex, 'hex'));
    await once(far, 'end');
    expect(await receiver.end()).toBe('protocol_error');
    expect(receiver.ends[0]?.error).toMatchObject({ code: 'bad_length' });
    expect(receiver.frames).toEqual([]);
  });

  test('the limit can be raised later', async () => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    const link = new Link(near, receiver, { frameBytesMax: 6 });
    far.write(FRAME_A);
    await receiver.received(1);
    link.frameBytesMax = 7;
    far.write(FRAME_B);
    await receiver.received(2);
  });

  test('an error of the receiver ends the link, and nothing more is handed on', async () => {
    const { near, far } = await socketPair();
    const failure = new Error('failed');
    const recorder = new Recorder();
    const receiver: LinkReceiver = {
      receive(frame) {
        recorder.receive(frame);
        throw failure;
      },
      closed: (end, error) => recorder.closed(end, error),
    };
    new Link(near, receiver);
    far.resume();
    far.write(Buffer.concat([FRAME_A, FRAME_B]));
    await once(far, 'end');
    expect(await recorder.end()).toBe('internal_error');
    expect(recorder.ends).toEqual([{ end: 'internal_error', error: failure }]);
    expect(recorder.frames).toHaveLength(1);
  });

  test('a paused link reads nothing until it goes on', async () => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    const link = new Link(near, receiver);
    link.pause();
    far.write(FRAME_A);
    // The answer of the other link shows that the loop has been through its sockets in between.
    const other = await socketPair();
    const witness = new Recorder();
    new Link(other.near, witness);
    other.far.write(FRAME_B);
    await witness.received(1);
    expect(receiver.frames).toHaveLength(0);
    link.resume();
    await receiver.received(1);
  });
});

describe('sending', () => {
  test('what is sent in one turn leaves in one write, in order', async () => {
    const { near, far } = await socketPair();
    const link = new Link(near, new Recorder());
    const write = vi.spyOn(near, 'write');
    const frames = Array.from({ length: 1_000 }, (_, index) => encodeFrame(Buffer.from(`frame ${index}`)));
    for (const frame of frames) link.send(frame);
    const all = Buffer.concat(frames);
    expect(await readBytes(far, all.length)).toEqual(all);
    expect(write).toHaveBeenCalledTimes(1);
    expect(link.bytesSent).toBe(all.length);
  });

  test('a run of frames is written as the one slice that it was in what was read', async () => {
    const { near, far } = await socketPair();
    const link = new Link(near, new Recorder());
    const write = vi.spyOn(near, 'write');
    const read = Buffer.concat([FRAME_A, FRAME_B, FRAME_A]);
    link.send(read.subarray(0, 6));
    link.send(read.subarray(6, 13));
    await readBytes(far, 13);
    expect(write).toHaveBeenCalledTimes(1);
    expect(write.mock.calls[0]?.[0]).toMatchObject({ buffer: read.buffer, length: 13 });
  });

  test('a long batch of small and large chunks arrives as it was sent', async () => {
    const { near, far } = await socketPair();
    const link = new Link(near, new Recorder());
    const sizes = [10, 100_000, 16_384, 16_383, 1, 2, 3, 300_000, 50_000, 7, 20_000, 8];
    const chunks = sizes.map((size, index) => Buffer.alloc(size, index + 1));
    for (const chunk of chunks) link.send(chunk);
    const all = Buffer.concat(chunks);
    expect((await readBytes(far, all.length)).equals(all)).toBe(true);
  });

  test('a slice that has to wait is copied, so that it does not keep alive what was read with it', async () => {
    const { near, far } = await socketPair();
    far.pause();
    const link = new Link(near, new Recorder());
    while (near.writableLength === 0) {
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

describe('closing', () => {
  test('sends what is queued first, and drops what comes later', async () => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    const link = new Link(near, receiver);
    link.send(FRAME_A);
    link.close();
    link.send(FRAME_B);
    expect(link.state).toBe('closing');
    expect(await readToEnd(far)).toEqual(FRAME_A);
    expect(await receiver.end()).toBe('closed');
    expect(link.state).toBe('closed');
    expect(link.queuedBytes).toBe(0);
    link.close();
    link.destroy();
    link.send(FRAME_A);
    expect(receiver.ends).toHaveLength(1);
  });

  test('names the reason and the error that it was given', async () => {
    const { near, far } = await socketPair();
    far.resume();
    const receiver = new Recorder();
    const error = new ProtocolError('bad_frame');
    new Link(near, receiver).close('protocol_error', error);
    expect(await receiver.end()).toBe('protocol_error');
    expect(receiver.ends).toEqual([{ end: 'protocol_error', error }]);
  });

  test('waits no longer than closeMs for a peer that does not read', async () => {
    const { near, far } = await socketPair();
    far.pause();
    const receiver = new Recorder();
    const link = new Link(near, receiver, { closeMs: 20 });
    link.send(Buffer.alloc(30_000_000));
    link.close();
    expect(await receiver.end()).toBe('closed');
  });

  test('a peer that has said all it had to say still gets what was sent in that turn', async () => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    const link = new Link(near, receiver);
    near.prependListener('end', () => link.send(FRAME_B));
    far.end(FRAME_A);
    expect(await readToEnd(far)).toEqual(FRAME_B);
    expect(await receiver.end()).toBe('peer_closed');
    expect(receiver.ends).toEqual([{ end: 'peer_closed', error: undefined }]);
    expect(receiver.frames).toHaveLength(1);
  });

  test('a reset by the peer is an error of the socket', async () => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    new Link(near, receiver);
    far.resetAndDestroy();
    expect(await receiver.end()).toBe('socket_error');
    expect(receiver.ends[0]?.error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('a closed link reads nothing more, even when it was paused', async () => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    const link = new Link(near, receiver);
    link.pause();
    far.end(FRAME_A);
    link.close();
    expect(await receiver.end()).toBe('closed');
    expect(receiver.frames).toEqual([]);
  });
});
