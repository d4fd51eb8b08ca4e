import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutated } from '../../testing/arbitraries.ts';
import { bytesOf, hexOf, readGolden } from '../../testing/golden.ts';
import { concat } from '../../testing/splits.ts';
import { CHANNEL_NAME_BYTES_MAX, CHANNELS_PER_FRAME_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import { decodePhp } from './decode.ts';
import { encodePhp } from './encode.ts';
import { eventFrame, queueFrame, readRequest } from './message.ts';
import { PhpArray, type PhpValue } from './php-array.ts';

interface RequestVector {
  readonly name: string;
  readonly text?: string;
  readonly hex?: string;
  readonly message: { readonly type: string; readonly channels?: readonly string[]; readonly data?: string };
  readonly error: string;
}

interface DeliveryVector {
  readonly name: string;
  readonly type: 'event' | 'queue';
  readonly channel: string;
  readonly data: string;
  readonly hex: string;
}

const golden = readGolden<{
  requests: RequestVector[];
  refused_requests: RequestVector[];
  deliveries: DeliveryVector[];
}>('php.json');

function bytesIn({ hex, text }: RequestVector): Uint8Array {
  return text === undefined ? bytesOf(hex ?? '') : encodeText(text);
}

/** The request as golden files write it: the data by its bytes. */
function read(bytes: Uint8Array, start = 0, end = bytes.length): unknown {
  const request = readRequest(bytes, start, end);
  if (!('data' in request)) return request;
  return { ...request, data: Buffer.from(bytes.subarray(request.data.start, request.data.end)).toString() };
}

function codeOf(bytes: Uint8Array): string | undefined {
  try {
    readRequest(bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.code;
  }
}

function request(type: string, channels: Iterable<PhpValue>, data?: PhpValue): Uint8Array {
  const array = new PhpArray().set('type', type).set('channels', PhpArray.list(channels));
  return encodePhp(data === undefined ? array : array.set('data', data));
}

describe('requests', () => {
  test.each(golden.requests)('$name', (vector) => {
    const bytes = bytesIn(vector);
    expect(read(bytes)).toEqual(vector.message);
    expect(read(concat([encodeText('xyz'), bytes, encodeText('N;')]), 3, 3 + bytes.length)).toEqual(
      vector.message,
    );
  });

  test.each(golden.requests)('$name, with any end missing', (vector) => {
    const bytes = bytesIn(vector);
    for (let end = 0; end < bytes.length; end++) expect(codeOf(bytes.subarray(0, end))).toBe('bad_frame');
  });

  test.each(golden.refused_requests)('refused: $name', (vector) => {
    expect(codeOf(bytesIn(vector))).toBe(vector.error);
  });

  test('name as many channels as one frame may', () => {
    const names = Array.from({ length: CHANNELS_PER_FRAME_MAX }, (_, index) => `c${index}`);
    expect(read(request('subscribe', names))).toEqual({ type: 'subscribe', channels: names });
    expect(codeOf(request('subscribe', [...names, 'x']))).toBe('bad_frame');
    expect(codeOf(encodeText('a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:1000000:{}}'))).toBe(
      'bad_frame',
    );
  });

  test('name channels as long as names are', () => {
    const longest = 'x'.repeat(CHANNEL_NAME_BYTES_MAX);
    expect(read(request('watch', [longest]))).toEqual({ type: 'watch', channels: [longest] });
    expect(codeOf(request('watch', [`${longest}x`]))).toBe('bad_channel');
    expect(codeOf(request('watch', ['x'.repeat(1_000_000)]))).toBe('bad_channel');
  });

  test('with integers for channels name them in digits, the largest ones too', () => {
    expect(read(request('subscribe', [2n ** 63n - 1n, -(2n ** 63n), 0]))).toEqual({
      type: 'subscribe',
      channels: ['9223372036854775807', '-9223372036854775808', '0'],
    });
  });

  test('after an accident are read or refused, and nothing else', () => {
    const texts = fc.constantFrom(...golden.requests).map(bytesIn);
    fc.assert(
      fc.property(mutated(texts), (bytes) => {
        expect([undefined, 'bad_frame', 'bad_channel']).toContain(codeOf(bytes));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('deliveries', () => {
  test.each(golden.deliveries)('$name', ({ type, channel, data, hex }) => {
    const frame = type === 'event' ? eventFrame(channel, bytesOf(data)) : queueFrame(channel, bytesOf(data));
    expect(hexOf(frame)).toBe(hex);
  });

  test('take the data of a publication as the bytes that it came in', () => {
    // `d:1.0;` is another way to write `d:1;`: whoever decoded and encoded it would send that.
    const bytes = encodeText(
      'a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:1:{i:0;i:5;}s:4:"data";a:1:{i:0;d:1.0;}}',
    );
    const publication = readRequest(bytes);
    if (publication.type !== 'publish') return expect.unreachable();
    const { start, end } = publication.data;
    const frame = eventFrame(publication.channels[0] ?? '', bytes.subarray(start, end));
    expect(Buffer.from(frame.subarray(4)).toString()).toBe(
      'a:3:{s:4:"type";s:5:"event";s:7:"channel";s:1:"5";s:4:"data";a:1:{i:0;d:1.0;}}',
    );
  });

  test('are frames and arrays, whatever the channel and the data', () => {
    const channel = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter(isChannelName);
    fc.assert(
      fc.property(channel, fc.uint8Array({ maxLength: 200 }), (name, data) => {
        const frame = eventFrame(name, encodePhp(data));
        expect(new DataView(frame.buffer, frame.byteOffset).getUint32(0)).toBe(frame.length);
        const event = decodePhp(frame, 4);
        if (!(event instanceof PhpArray)) return expect.unreachable();
        expect([event.get('type'), event.get('channel'), event.get('data')]).toEqual([
          encodeText('event'),
          encodeText(name),
          data,
        ]);
      }),
    );
  });
});
