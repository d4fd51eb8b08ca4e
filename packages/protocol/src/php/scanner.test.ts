import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, readGolden, type Vector } from '../../testing/golden.ts';
import { concat } from '../../testing/splits.ts';
import { PHP_DEPTH_MAX, PHP_ELEMENTS_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import { decodePhp } from './decode.ts';
import { checkPhp, entriesOf } from './entries.ts';
import { readRequest } from './message.ts';

type PhpVector = Partial<Vector<never>> & { readonly name: string };

const golden = readGolden<{ values: PhpVector[]; other_forms: PhpVector[]; refused: PhpVector[] }>(
  'php.json',
);

function bytesIn({ hex, text }: PhpVector): Uint8Array {
  return text === undefined ? bytesOf(hex ?? '') : encodeText(text);
}

/** Returns the message with which bytes are rejected; `undefined` for accepted ones. */
function refusal(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    expect(error.code).toBe('bad_frame');
    expect(error.message.length).toBeLessThan(200);
    return error.message;
  }
}

/** Counts reads of single bytes: the work of a value. */
function countReads(bytes: Uint8Array): { readonly watched: Uint8Array; reads(): number } {
  let reads = 0;
  const watched = new Proxy(bytes, {
    get(target, property) {
      if (typeof property === 'string' && /^\d+$/.test(property)) reads += 1;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { watched, reads: () => reads };
}

function nested(depth: number, inner = 'N;'): Uint8Array {
  return encodeText(`${'a:1:{i:0;'.repeat(depth)}${inner}${'}'.repeat(depth)}`);
}

describe('valid values', () => {
  test.each([...golden.values, ...golden.other_forms])('$name', (vector) => {
    const bytes = bytesIn(vector);
    expect(refusal(() => checkPhp(bytes))).toBeUndefined();
    // Other bytes around it must not be read.
    const among = concat([encodeText('O:'), bytes, encodeText(';}')]);
    expect(refusal(() => checkPhp(among, 2, 2 + bytes.length))).toBeUndefined();
  });

  test('none is accepted when it is truncated anywhere', () => {
    for (const vector of [...golden.values, ...golden.other_forms]) {
      const bytes = bytesIn(vector);
      for (let end = 0; end < bytes.length; end++) {
        expect(
          refusal(() => checkPhp(bytes.subarray(0, end))),
          `${vector.name}, cut at ${end}`,
        ).toBeDefined();
        expect(
          refusal(() => checkPhp(bytes, 0, end)),
          `${vector.name}, ending at ${end}`,
        ).toBeDefined();
      }
    }
  });
});

describe('invalid values', () => {
  test.each(golden.refused)('$name', (vector) => {
    const bytes = bytesIn(vector);
    expect(refusal(() => checkPhp(bytes))).toBeDefined();
    expect(refusal(() => decodePhp(bytes))).toBe(refusal(() => checkPhp(bytes)));
    expect(refusal(() => entriesOf(bytes))).toBeDefined();
  });

  test.each(golden.refused)('$name, inside an array and inside the data of a publication', (vector) => {
    const bytes = bytesIn(vector);
    const inArray = concat([encodeText('a:1:{i:0;'), bytes, encodeText('}')]);
    const inData = concat([
      encodeText('a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:1:{i:0;s:1:"c";}s:4:"data";'),
      bytes,
      encodeText('}'),
    ]);
    expect(refusal(() => checkPhp(inArray))).toBeDefined();
    expect(refusal(() => readRequest(inData))).toBeDefined();
  });

  test.each([
    ['O:1:"x":0:{}', 'The PHP value has an object (O), at byte 0.'],
    ['a:1:{i:0;R:1;}', 'The PHP value has a reference (R), at byte 9.'],
    ['a:1:{d:1;N;}', 'The PHP value has a key that is neither an integer nor a string, at byte 5.'],
    ['s:5:"abc";', 'The PHP value has a string longer than the remaining bytes, at byte 0.'],
    ['a:9:{}', 'The PHP value has an array with more elements than the remaining bytes, at byte 0.'],
    ['\u0000', 'The PHP value has the unknown type 0x00, at byte 0.'],
    ['i:1;i', 'The PHP value has bytes after its end, at byte 4.'],
    ['', 'The PHP value has no end: bytes are missing, at byte 0.'],
  ])('%j is rejected with the reason and the place', (text, sentence) => {
    expect(refusal(() => checkPhp(encodeText(text)))).toBe(sentence);
  });
});

describe('limits', () => {
  test('of depth', () => {
    expect(refusal(() => checkPhp(nested(PHP_DEPTH_MAX)))).toBeUndefined();
    expect(refusal(() => decodePhp(nested(PHP_DEPTH_MAX)))).toBeUndefined();
    expect(refusal(() => checkPhp(nested(PHP_DEPTH_MAX + 1)))).toMatch(/more than 64 nested arrays/);
    expect(refusal(() => checkPhp(nested(PHP_DEPTH_MAX, 'a:0:{}')))).toMatch(/more than 64 nested arrays/);
  });

  test('of elements, in one array and in many', () => {
    const list = (count: number) => `a:${count}:{${'i:0;N;'.repeat(count)}}`;
    const lists = (count: number) => encodeText(`a:2:{i:0;${list(count)}i:1;${list(PHP_ELEMENTS_MAX / 2)}}`);
    expect(refusal(() => checkPhp(encodeText(list(PHP_ELEMENTS_MAX))))).toBeUndefined();
    expect(refusal(() => checkPhp(encodeText(list(PHP_ELEMENTS_MAX + 1))))).toMatch(
      /more than 10000 elements/,
    );
    expect(refusal(() => checkPhp(lists(PHP_ELEMENTS_MAX / 2 - 2)))).toBeUndefined();
    expect(refusal(() => checkPhp(lists(PHP_ELEMENTS_MAX / 2 - 1)))).toMatch(/more than 10000 elements/);
  });

  test.each([
    ['depth of 20,000', nested(20_000)],
    ['a million openings', encodeText('a:1:{i:0;'.repeat(1_000_000))],
    ['a count of 2^31 - 1', encodeText(`a:2147483647:{${'i:0;N;'.repeat(500_000)}}`)],
    ['a million digits of an integer', encodeText(`i:${'1'.repeat(1_000_000)};`)],
    ['a million zeros of an integer', encodeText(`i:${'0'.repeat(1_000_000)};`)],
    ['a million digits of a float', encodeText(`d:1.${'1'.repeat(1_000_000)};`)],
    ['a million digits of a length', encodeText(`s:${'1'.repeat(1_000_000)}:"";`)],
    ['a million digits of a count', encodeText(`a:${'1'.repeat(1_000_000)}:{}`)],
    ['a string that is not there', encodeText(`s:4294967295:"${'x'.repeat(1_000_000)}`)],
  ])('%s is rejected after fewer than 1,000 bytes', (_, bytes) => {
    const { watched, reads } = countReads(bytes);
    expect(refusal(() => checkPhp(watched, 0, bytes.length))).toBeDefined();
    expect(reads()).toBeLessThan(1_000);
  });

  test('a string is skipped without reading it', () => {
    const bytes = encodeText(`s:1000000:"${'x'.repeat(1_000_000)}";`);
    const { watched, reads } = countReads(bytes);
    checkPhp(watched, 0, bytes.length);
    expect(reads()).toBeLessThan(30);
  });

  test('the work depends on the bytes that are there, whatever they are', () => {
    const piece = fc.constantFrom(...golden.values, ...golden.refused).map(bytesIn);
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.array(piece, { maxLength: 5 }).map(concat));
    fc.assert(
      fc.property(bytes, (drawn) => {
        const { watched, reads } = countReads(drawn);
        refusal(() => checkPhp(watched, 0, drawn.length));
        expect(reads()).toBeLessThanOrEqual(4 * drawn.length + 4);
      }),
    );
  });
});

describe('entries of an array', () => {
  test('have their spans, and keys of both kinds', () => {
    const text = 'xxa:4:{s:4:"type";s:1:"a";i:-7;a:1:{i:0;a:0:{}}s:0:"";N;i:9223372036854775807;d:1;}yy';
    const bytes = encodeText(text);
    const entries = entriesOf(bytes, 2, bytes.length - 2);
    expect(entries.map(({ key }) => key)).toEqual([encodeText('type'), -7, encodeText(''), 2n ** 63n - 1n]);
    expect(entries.map(({ start, end }) => text.slice(start, end))).toEqual([
      's:1:"a";',
      'a:1:{i:0;a:0:{}}',
      'N;',
      'd:1;',
    ]);
  });

  test('do not exist in an empty one', () => {
    expect(entriesOf(encodeText('a:0:{}'))).toEqual([]);
  });

  test.each(['i:5;', 's:6:"a:0:{}";', 'a:0:{}x', 'a:1:{i:0;N;}x'])('there are none of %s', (text) => {
    expect(refusal(() => entriesOf(encodeText(text)))).toBeDefined();
  });
});
