import { afterEach, describe, expect, test, vi } from 'vitest';
import { bytesOf, hexOf, readGolden } from '../testing/golden.ts';
import { concat, everySplit } from '../testing/splits.ts';
import { encodeFrame, FrameDecoder, HEARTBEAT_FRAME } from './frame.ts';
import { FRAME_BYTES_CEILING, FRAME_BYTES_MAX } from './limits.ts';
import { ProtocolError } from './protocol-error.ts';

interface Stream {
  readonly name: string;
  readonly hex: string;
  readonly bodies: readonly string[];
}

const golden = readGolden<{ streams: Stream[]; refused: (Stream & { error: string })[] }>('frames.json');

/** Returns the result of a decoder: the bodies, and the code of the error at its end. */
function decode(chunks: readonly Uint8Array[], decoder: FrameDecoder = new FrameDecoder()) {
  const bodies: string[] = [];
  let error: string | undefined;
  try {
    for (const chunk of chunks) decoder.push(chunk, (frame) => bodies.push(hexOf(frame.subarray(4))));
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    error = thrown.code;
  }
  return { bodies, error };
}

describe('streams', () => {
  test.each(golden.streams)('$name', ({ hex, bodies }) => {
    for (const { how, chunks } of everySplit(bytesOf(hex))) {
      const decoder = new FrameDecoder();
      expect(decode(chunks, decoder), how).toEqual({ bodies, error: undefined });
      expect(decoder.pendingBytes, how).toBe(0);
    }
  });

  test.each(golden.streams)('$name, encoded', ({ hex, bodies }) => {
    expect(hexOf(concat(bodies.map((body) => encodeFrame(bytesOf(body)))))).toBe(hex);
  });

  test.each(golden.refused)('rejected: $name', ({ hex, bodies, error }) => {
    for (const { how, chunks } of everySplit(bytesOf(hex))) {
      expect(decode(chunks), how).toEqual({ bodies, error });
    }
  });

  test('no foreign protocol is below the highest limit of the options', () => {
    const foreign = golden.refused.filter(({ hex }) => bytesOf(hex)[0] !== 0);
    expect(foreign.length).toBeGreaterThanOrEqual(8);
    for (const { name, hex } of foreign) {
      const decoder = new FrameDecoder(FRAME_BYTES_CEILING);
      expect(decode([bytesOf(hex)], decoder).error, name).toBe('bad_length');
    }
  });

  test('the heartbeat is the empty frame', () => {
    expect(hexOf(HEARTBEAT_FRAME)).toBe('00000004');
    expect(encodeFrame(new Uint8Array(0))).toEqual(HEARTBEAT_FRAME);
  });

  test('many frames in one chunk are slices of it', () => {
    const chunk = concat(Array.from({ length: 1_000 }, (_, index) => encodeFrame(Uint8Array.of(index))));
    let frames = 0;
    new FrameDecoder().push(chunk, (frame) => {
      expect(frame.buffer).toBe(chunk.buffer);
      expect(frame[4]).toBe(frames % 256);
      frames += 1;
    });
    expect(frames).toBe(1_000);
  });

  test('a partial frame is a copy, so the read buffer can be used again', () => {
    const decoder = new FrameDecoder();
    const chunk = bytesOf('0000000761');
    decoder.push(chunk, () => expect.unreachable());
    chunk.fill(0xff);
    const frames: string[] = [];
    decoder.push(bytesOf('6263'), (frame) => frames.push(hexOf(frame)));
    expect(frames).toEqual(['00000007616263']);
  });
});

describe('the length of a frame', () => {
  test('is checked with its fourth byte, and not before', () => {
    const decoder = new FrameDecoder();
    const none = (): void => expect.unreachable();
    decoder.push(bytesOf('ffffff'), none);
    expect(decoder.pendingBytes).toBe(3);
    expect(() => decoder.push(bytesOf('ff'), none)).toThrow(expect.objectContaining({ code: 'bad_length' }));
  });

  test('is unsigned, and part of the error', () => {
    const push = (): void => new FrameDecoder().push(bytesOf('ffffffff'), () => expect.unreachable());
    expect(push).toThrow('4294967295 bytes');
  });

  test('is checked before the frames after it, and after those before it', () => {
    expect(decode([bytesOf('00000005aa' + '00000003' + '00000005bb')])).toEqual({
      bodies: ['aa'],
      error: 'bad_length',
    });
  });

  test('may be the limit, and not more', () => {
    for (const { how, chunks } of everySplit(bytesOf('00000006abcd'))) {
      expect(decode(chunks, new FrameDecoder(6)), how).toEqual({ bodies: ['abcd'], error: undefined });
      expect(decode(chunks, new FrameDecoder(5)), how).toEqual({ bodies: [], error: 'bad_length' });
    }
  });

  test('a limit raised during a frame applies to the next one in the same chunk', () => {
    const chunk = bytesOf('00000005aa' + '00000008bbbbbbbb');
    expect(decode([chunk], new FrameDecoder(5)).error).toBe('bad_length');
    const decoder = new FrameDecoder(5);
    const bodies: string[] = [];
    decoder.push(chunk, (frame) => {
      bodies.push(hexOf(frame.subarray(4)));
      decoder.frameBytesMax = 8;
    });
    expect(bodies).toEqual(['aa', 'bbbbbbbb']);
  });

  test('a limit lowered within a frame rejects it at the next byte', () => {
    const decoder = new FrameDecoder(8);
    expect(decode([bytesOf('00000008bb')], decoder).error).toBeUndefined();
    decoder.frameBytesMax = 7;
    expect(decode([bytesOf('bb')], decoder)).toEqual({ bodies: [], error: 'bad_length' });
  });

  test.each([3, 0, -1, FRAME_BYTES_CEILING + 1, Number.NaN])('%d is an invalid limit', (limit) => {
    expect(() => new FrameDecoder(limit)).toThrow(RangeError);
    expect(() => {
      new FrameDecoder().frameBytesMax = limit;
    }).toThrow(RangeError);
  });
});

describe('memory and work', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  /** Records the size of each new byte array, and the bytes copied between arrays. */
  function watchBytes(): { readonly allocated: number[]; copied: number } {
    const watched = { allocated: [] as number[], copied: 0 };
    const counting = new Proxy(Uint8Array, {
      construct(target, args) {
        if (typeof args[0] === 'number') watched.allocated.push(args[0]);
        return Reflect.construct(target, args);
      },
    });
    const typedArray: Uint8Array = Object.getPrototypeOf(Uint8Array.prototype);
    const set = typedArray.set;
    vi.spyOn(typedArray, 'set').mockImplementation(function (this: Uint8Array, from, at) {
      watched.copied += from.length;
      set.call(this, from, at);
    });
    vi.stubGlobal('Uint8Array', counting);
    return watched;
  }

  function sum(numbers: readonly number[]): number {
    return numbers.reduce((total, number) => total + number, 0);
  }

  test('an announced frame of 10 MiB, with ten bytes received, costs less than 1 KiB', () => {
    for (const { how, chunks } of everySplit(bytesOf('00a00000' + '616161616161'))) {
      const watched = watchBytes();
      const decoder = new FrameDecoder();
      for (const chunk of chunks) decoder.push(chunk, () => expect.unreachable());
      expect(decoder.pendingBytes, how).toBe(10);
      expect(watched.allocated.length, how).toBeGreaterThan(0);
      expect(sum(watched.allocated), how).toBeLessThan(1_024);
      vi.unstubAllGlobals();
      vi.restoreAllMocks();
    }
  });

  test('the bytes of a frame that arrives byte by byte are copied a limited number of times', () => {
    const frame = encodeFrame(new Uint8Array(64 * 1_024).fill(7));
    const drops = Array.from(frame, (byte) => Uint8Array.of(byte));
    const watched = watchBytes();
    const decoder = new FrameDecoder();
    let received = 0;
    let largest = 0;
    for (const drop of drops) {
      decoder.push(drop, (whole) => {
        received += whole.length;
      });
      if (decoder.pendingBytes > 0) {
        largest = Math.max(largest, (watched.allocated.at(-1) ?? 0) / decoder.pendingBytes);
      }
    }
    expect(received).toBe(frame.length);
    // Each byte once when it arrives, and less than twice more while the buffer doubles.
    expect(watched.copied).toBeLessThan(3 * frame.length);
    expect(watched.allocated.length).toBeLessThan(20);
    expect(largest).toBeLessThanOrEqual(2);
  });

  test('the buffer of a frame at the limit grows to the limit, and no further', () => {
    const frame = encodeFrame(new Uint8Array(FRAME_BYTES_MAX - 4));
    const watched = watchBytes();
    const decoder = new FrameDecoder();
    const lengths: number[] = [];
    for (let at = 0; at < frame.length; at += 65_536) {
      decoder.push(frame.subarray(at, at + 65_536), (whole) => lengths.push(whole.length));
    }
    expect(lengths).toEqual([FRAME_BYTES_MAX]);
    expect(Math.max(...watched.allocated)).toBe(FRAME_BYTES_MAX);
  });

  test('a million heartbeats, in chunks of any size, leave nothing in memory', () => {
    const beats = concat(Array.from({ length: 1_000 }, () => HEARTBEAT_FRAME));
    const decoder = new FrameDecoder();
    let count = 0;
    for (let round = 0; round < 1_000; round++) {
      const cut = round % beats.length;
      decoder.push(beats.subarray(0, cut), () => count++);
      decoder.push(beats.subarray(cut), () => count++);
      expect(decoder.pendingBytes).toBe(0);
    }
    expect(count).toBe(1_000_000);
  });

  test('an empty chunk changes nothing', () => {
    const decoder = new FrameDecoder();
    const empty = new Uint8Array(0);
    expect(
      decode(
        [empty, bytesOf('0000'), empty, bytesOf('0006'), empty, bytesOf('aa'), empty, bytesOf('bb')],
        decoder,
      ),
    ).toEqual({ bodies: ['aabb'], error: undefined });
  });
});

describe('cut, without objects', () => {
  const stream = bytesOf('000000054100000004000000064242000000054300');

  test('gives the start and end of each frame, whole and byte by byte', () => {
    for (const { how, chunks } of everySplit(stream)) {
      const decoder = new FrameDecoder();
      const frames: string[] = [];
      for (const chunk of chunks) {
        const read = decoder.cut(chunk, (bytes, start, end) => {
          frames.push(hexOf(bytes.subarray(start, end)));
          return true;
        });
        expect(read, how).toBe(chunk.length);
      }
      expect(frames, how).toEqual(['0000000541', '00000004', '000000064242', '0000000543']);
      expect(decoder.pendingBytes, how).toBe(1);
    }
  });

  test('can stop after any frame, and continue there', () => {
    for (const { how, chunks } of everySplit(stream)) {
      const decoder = new FrameDecoder();
      const frames: string[] = [];
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) {
          at += decoder.cut(chunk.subarray(at), (bytes, start, end) => {
            frames.push(hexOf(bytes.subarray(start, end)));
            return false;
          });
        }
      }
      expect(frames, how).toEqual(['0000000541', '00000004', '000000064242', '0000000543']);
    }
  });
});
