import { encodeFrame, FrameDecoder } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { Recorder } from '../../testing/recorder.ts';
import { readBytes, readToEnd, socketPair } from '../../testing/socket-pair.ts';
import { Link } from './link.ts';

const LONG = 64 * 1024;
const COUNT = 200;

/** Creates a frame of 64 KiB with a number in it. */
function frameOf(mark: number): Uint8Array {
  return encodeFrame(new Uint8Array(LONG).fill(mark));
}

/** Returns the numbers of the frames in a byte stream. */
function marksOf(bytes: Uint8Array): number[] {
  const marks: number[] = [];
  new FrameDecoder(2 * LONG).cut(bytes, (chunk, start) => {
    marks.push(chunk[start + 4] ?? -1);
    return true;
  });
  return marks;
}

describe('a link with recall', () => {
  test('sends everything in order to a peer that reads', async () => {
    const { near, far } = await socketPair();
    const link = new Link(near, new Recorder());
    link.allowRecall();
    for (let mark = 0; mark < COUNT; mark++) link.send(frameOf(mark), 'a');
    const bytes = await readBytes(far, COUNT * frameOf(0).length);
    expect(marksOf(bytes)).toEqual(Array.from({ length: COUNT }, (_, mark) => mark));
    expect(link.bufferedBytes).toBe(0);
  });

  test('recalls frames that have not left, and sends the others', async () => {
    const { near, far } = await socketPair();
    far.pause();
    const link = new Link(near, new Recorder());
    link.allowRecall();
    for (let sent = 0; sent < COUNT; sent++) link.send(frameOf(1), 'wanted no more');
    // Until the kernel accepts nothing more.
    for (let before = -1; before !== link.bytesSent; await new Promise((resolve) => setTimeout(resolve, 50)))
      before = link.bytesSent;
    const left = link.bytesSent;
    expect(left).toBeLessThan(COUNT * LONG);
    link.recall('wanted no more');
    expect(link.bufferedBytes).toBeLessThanOrEqual(2 * LONG);
    link.send(frameOf(2), 'wanted');
    link.close();
    const marks = marksOf(await readToEnd(far));
    expect(marks.filter((mark) => mark === 1)).toHaveLength(left / frameOf(1).length);
    expect(marks.at(-1)).toBe(2);
  });

  test('closes a peer that does not read as slow', async () => {
    const { near, far } = await socketPair();
    far.pause();
    const receiver = new Recorder();
    const link = new Link(near, receiver, { bufferBytesMax: 10 * LONG });
    link.allowRecall();
    while (link.state === 'open') {
      link.send(frameOf(1), 'a');
      await new Promise(setImmediate);
    }
    expect(await receiver.end()).toBe('slow');
    expect(link.bufferedBytes).toBe(0);
  });

  test('ends when the peer is gone', async () => {
    const { near, far } = await socketPair();
    const receiver = new Recorder();
    const link = new Link(near, receiver);
    link.allowRecall();
    far.resetAndDestroy();
    for (let sent = 0; sent < 10; sent++) link.send(frameOf(sent), 'a');
    expect(['peer_closed', 'socket_error']).toContain(await receiver.end());
  });
});
