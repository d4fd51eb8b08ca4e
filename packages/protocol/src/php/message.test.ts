import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutated } from '../../testing/arbitraries.ts';
import { bytesOf, hexOf, readGolden } from '../../testing/golden.ts';
import { concat } from '../../testing/splits.ts';
import { CHANNEL_NAME_BYTES_MAX, PHP_ELEMENTS_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import { decodePhp } from './decode.ts';
import { encodePhp } from './encode.ts';
import { eventFrame, queueFrame, readRequest } from './message.ts';
import type { PhpNameFlaw } from './names.ts';
import { PhpArray, type PhpValue } from './php-array.ts';

interface RequestVector {
  readonly name: string;
  readonly text?: string;
  readonly hex?: string;
  readonly message: { readonly type: string; readonly channels?: readonly string[]; readonly data?: string };
  readonly flaws?: readonly string[];
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

/** Returns a request as golden files write it: names read in batches, data as its bytes. */
function read(
  bytes: Uint8Array,
  { start = 0, end = bytes.length, countEach = Number.POSITIVE_INFINITY } = {},
): Pick<RequestVector, 'message' | 'flaws'> {
  const request = readRequest(bytes, start, end);
  if (request.type === 'reserve') return { message: request };
  const { type, names } = request;
  const channels: string[] = [];
  const flaws: PhpNameFlaw[] = [];
  while (names.left > 0) channels.push(...names.take(countEach, (flaw) => flaws.push(flaw)));
  const data =
    'data' in request && Buffer.from(bytes.subarray(request.data.start, request.data.end)).toString();
  const message = { type, channels, ...(data === false ? {} : { data }) };
  return flaws.length === 0 ? { message } : { message, flaws };
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
    const { message, flaws } = vector;
    const bytes = bytesIn(vector);
    expect(read(bytes)).toEqual({ message, flaws });
    expect(read(bytes, { countEach: 1 })).toEqual({ message, flaws });
    const inOthers = concat([encodeText('xyz'), bytes, encodeText('N;')]);
    expect(read(inOthers, { start: 3, end: 3 + bytes.length })).toEqual({ message, flaws });
  });

  test.each(golden.requests)('$name, truncated anywhere', (vector) => {
    const bytes = bytesIn(vector);
    for (let end = 0; end < bytes.length; end++) expect(codeOf(bytes.subarray(0, end))).toBe('bad_frame');
  });

  test.each(golden.refused_requests)('rejected: $name', (vector) => {
    expect(codeOf(bytesIn(vector))).toBe(vector.error);
  });

  test.each([1_025, 20_000, 100_000])('name %i channels', (count) => {
    const channels = Array.from({ length: count }, (_, index) => `c${index}`);
    const message = { type: 'subscribe', channels };
    expect(read(request('subscribe', channels))).toEqual({ message });
    expect(read(request('subscribe', channels), { countEach: 64 })).toEqual({ message });
  });

  test('name no more channels than there are', () => {
    expect(codeOf(encodeText('a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:1000000:{}}'))).toBe(
      'bad_frame',
    );
  });

  test('have a limited number of elements beside their names, and in names too', () => {
    const many = PhpArray.list(Array.from({ length: PHP_ELEMENTS_MAX - 2 }, () => null));
    const channels = Array.from({ length: PHP_ELEMENTS_MAX }, (_, index) => index);
    expect(codeOf(request('publish', channels, many))).toBe('bad_frame');
    expect(codeOf(request('publish', [many]))).toBe('bad_frame');
    const most = PhpArray.list(Array.from({ length: PHP_ELEMENTS_MAX - 3 }, () => null));
    expect(codeOf(request('publish', channels, most))).toBeUndefined();
    expect(codeOf(request('subscribe', [most]))).toBeUndefined();
    expect(codeOf(request('subscribe', [most, most]))).toBe('bad_frame');
  });

  test('name channels as long as names may be', () => {
    const longest = 'x'.repeat(CHANNEL_NAME_BYTES_MAX);
    expect(read(request('watch', [longest, `${longest}x`, 'x'.repeat(1_000_000), 'y']))).toEqual({
      message: { type: 'watch', channels: [longest, 'y'] },
      flaws: ['length', 'length'],
    });
  });

  test('tell the number and bytes of their names before any is read', () => {
    const read = readRequest(request('subscribe', ['a', 7, '']));
    if (read.type !== 'subscribe') return expect.unreachable();
    const { names } = read;
    expect([names.count, names.bytesLength, names.left]).toEqual([
      3,
      'a:3:{i:0;s:1:"a";i:1;i:7;i:2;s:0:"";}'.length,
      3,
    ]);
    expect(names.take(2)).toEqual(['a', '7']);
    expect(names.left).toBe(1);
    expect([names.take(2), names.left]).toEqual([[], 0]);
  });

  test('with integers as channels name them in digits, up to the largest', () => {
    expect(read(request('subscribe', [2n ** 63n - 1n, -(2n ** 63n), 0]))).toEqual({
      message: {
        type: 'subscribe',
        channels: ['9223372036854775807', '-9223372036854775808', '0'],
      },
    });
  });

  test('when damaged, are read or rejected', () => {
    const texts = fc.constantFrom(...golden.requests).map(bytesIn);
    fc.assert(
      fc.property(mutated(texts), (bytes) => {
        const code = codeOf(bytes);
        expect([undefined, 'bad_frame']).toContain(code);
        if (code === undefined) read(bytes, { countEach: 2 });
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

  test('contain the data of a publication as the received bytes', () => {
    // `d:1.0;` is another form of `d:1;`, which decoding and encoding would give.
    const bytes = encodeText(
      'a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:1:{i:0;i:5;}s:4:"data";a:1:{i:0;d:1.0;}}',
    );
    const publication = readRequest(bytes);
    if (publication.type !== 'publish') return expect.unreachable();
    const { start, end } = publication.data;
    const frame = eventFrame(publication.names.take(1)[0] ?? '', bytes.subarray(start, end));
    expect(Buffer.from(frame.subarray(4)).toString()).toBe(
      'a:3:{s:4:"type";s:5:"event";s:7:"channel";s:1:"5";s:4:"data";a:1:{i:0;d:1.0;}}',
    );
  });

  test('are frames and arrays, for any channel and data', () => {
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
