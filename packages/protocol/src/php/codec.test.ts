import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { mutated } from '../../testing/arbitraries.ts';
import { bytesOf, hexOf, readGolden } from '../../testing/golden.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import { decodePhp } from './decode.ts';
import { encodePhp } from './encode.ts';
import { fromJson } from './from-json.ts';
import { PhpArray, type PhpValue } from './php-array.ts';
import { PhpFloat } from './php-float.ts';
import { toJson } from './to-json.ts';

interface ValueVector {
  readonly name: string;
  readonly hex?: string;
  readonly text?: string;
  readonly json: string;
  readonly lossy?: number;
  readonly written: string;
}

const golden =
  readGolden<Record<'values' | 'other_forms' | 'from_json' | 'refused_json', ValueVector[]>>('php.json');

function bytesIn({ hex, text }: ValueVector): Uint8Array {
  return text === undefined ? bytesOf(hex ?? '') : encodeText(text);
}

/** Arrays as lists of pairs, floats with a name, so that values can be compared. */
function plain(value: PhpValue | undefined): unknown {
  if (value instanceof PhpArray)
    return Array.from(value.entries(), ([key, item]) => [plain(key), plain(item)]);
  if (value instanceof PhpFloat) return { float: value.value };
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value;
}

function textOf(value: PhpValue): string {
  return Buffer.from(encodePhp(value)).toString();
}

afterEach(() => {
  const canary: Record<string, unknown> = {};
  expect(canary['polluted']).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

describe('golden values', () => {
  test.each(golden.values)('$name', (vector) => {
    const bytes = bytesIn(vector);
    expect(hexOf(encodePhp(decodePhp(bytes)))).toBe(hexOf(bytes));
    expect(toJson(decodePhp(bytes))).toEqual({ text: vector.json, lossy: vector.lossy ?? 0 });
  });

  test.each(golden.values.filter(({ lossy }) => lossy === undefined))(
    '$name, decoded from JSON',
    (vector) => {
      expect(hexOf(encodePhp(fromJson(vector.json)))).toBe(hexOf(bytesIn(vector)));
    },
  );

  test.each(golden.other_forms)('$name', (vector) => {
    expect(textOf(decodePhp(bytesIn(vector)))).toBe(vector.written);
  });
});

describe('decoded values', () => {
  test.each<[string, unknown]>([
    ['N;', null],
    ['b:1;', true],
    ['i:9007199254740991;', 9007199254740991],
    ['i:9007199254740992;', 9007199254740992n],
    ['i:-9223372036854775808;', -(2n ** 63n)],
    ['i:-0;', 0],
    ['d:1;', { float: 1 }],
    ['d:-0;', { float: -0 }],
    ['d:-INF;', { float: Number.NEGATIVE_INFINITY }],
    ['s:1:"5";', '5'],
    [
      'a:2:{s:1:"5";N;s:2:"05";b:0;}',
      [
        [5, null],
        ['05', false],
      ],
    ],
    [
      'a:3:{s:1:"a";i:1;i:0;N;s:1:"a";i:2;}',
      [
        ['a', 2],
        [0, null],
      ],
    ],
    [
      'a:2:{i:0;a:1:{s:1:"x";a:0:{}}i:1;i:2;}',
      [
        [0, [['x', []]]],
        [1, 2],
      ],
    ],
  ])('%s', (text, value) => {
    expect(plain(decodePhp(encodeText(text)))).toEqual(value);
  });

  test('a copy, which outlives the bytes that it was read from', () => {
    const bytes = Buffer.from('a:1:{s:1:"k";s:1:"v";}');
    const value = decodePhp(bytes);
    bytes.fill(0);
    expect(plain(value)).toEqual([['k', 'v']]);
  });
});

describe('encoded values of programs', () => {
  test.each<[string, PhpValue]>([
    ['i:1;', 1],
    ['d:-0;', -0],
    ['d:1.5;', 1.5],
    ['d:9007199254740992;', 2 ** 53],
    ['i:9007199254740992;', 2n ** 53n],
    ['d:1.0E+25;', 1e25],
    ['d:NAN;', Number.NaN],
    ['s:6:"日本";', '日本'],
    ['s:4:"\ufffdx";', '\ud800x'],
    ['a:1:{i:5;i:3;}', new PhpArray().set('5', 1).set(5n, 2).set(encodeText('5'), 3)],
    ['a:2:{i:0;s:1:"c";i:1;s:1:"b";}', new PhpArray().set(0, 'a').set('1', 'b').set(-0, 'c')],
    ['a:1:{s:9:"__proto__";a:1:{i:0;b:1;}}', new PhpArray().set('__proto__', PhpArray.list([true]))],
  ])('%s', (text, value) => {
    expect(textOf(value)).toBe(text);
  });

  test.each<[string, () => unknown]>([
    ['an integer beyond 64 bits', () => encodePhp(2n ** 63n)],
    ['a key beyond 64 bits', () => new PhpArray().set(2n ** 63n, 1)],
    ['a key that is a fraction', () => new PhpArray().set(1.5, 1)],
    ['an array in itself', () => encodePhp(inItself())],
    ['an array in itself, in JSON', () => toJson(inItself())],
  ])('not %s', (_, write) => {
    expect(write).toThrow(RangeError);
  });

  function inItself(): PhpArray {
    const array = new PhpArray();
    return array.set(0, array);
  }
});

describe('an array', () => {
  test('finds a key in any form', () => {
    const array = new PhpArray()
      .set('a', 1)
      .set(5, 2)
      .set(Uint8Array.of(0xff), 3)
      .set(2n ** 60n, 4);
    expect([array.get('a'), array.get(encodeText('a')), array.get('5'), array.get(5n)]).toEqual([1, 1, 2, 2]);
    expect([array.get(Uint8Array.of(0xff)), array.get('1152921504606846976')]).toEqual([3, 4]);
    expect([array.get('\u00ff'), array.get('__proto__'), array.get(0), array.get('i5')]).toEqual(
      new Array(4).fill(undefined),
    );
    expect(array.size).toBe(4);
  });

  test('is a list while its keys count from 0', () => {
    const array = PhpArray.list(['a', 'b']);
    expect([array.isList, array.get(1), array.get(2), array.get('1')]).toEqual([true, 'b', undefined, 'b']);
    expect(array.set(1, 'c').set('2', 'd').isList).toBe(true);
    expect(array.set(4, 'e').isList).toBe(false);
    expect(plain(array)).toEqual([
      [0, 'a'],
      [1, 'c'],
      [2, 'd'],
      [4, 'e'],
    ]);
  });

  test('keeps a very long key', () => {
    const key = new Uint8Array(1_000_000).fill(0x61);
    expect(new PhpArray().set(key, 1).get('a'.repeat(1_000_000))).toBe(1);
  });
});

describe('JSON', () => {
  test.each(golden.from_json)('$name', (vector) => {
    expect(hexOf(encodePhp(fromJson(vector.json)))).toBe(hexOf(bytesIn(vector)));
  });

  test.each(golden.refused_json)('rejected: $name', ({ json }) => {
    expect(() => JSON.parse(json)).toThrow();
    expect(() => fromJson(json)).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code: 'bad_json' }),
    );
  });

  test('half a surrogate pair becomes U+FFFD in both directions', () => {
    expect(textOf(fromJson('"\\ud800x"'))).toBe('s:4:"\ufffdx";');
    expect(toJson('\ud800x')).toEqual({ text: '"\ufffdx"', lossy: 1 });
    expect(toJson('\ufffd')).toEqual({ text: '"\ufffd"', lossy: 0 });
    expect(toJson(encodeText('\ufffd'))).toEqual({ text: '"\ufffd"', lossy: 0 });
  });

  test('each loss is counted', () => {
    const bad = Uint8Array.of(0x61, 0xff);
    const array = new PhpArray().set(bad, bad).set('x', new PhpFloat(Infinity)).set('y', Number.NaN);
    expect(toJson(array)).toEqual({ text: '{"a\ufffd":"a\ufffd","x":null,"y":null}', lossy: 4 });
  });

  test.each([
    ['depth', '['.repeat(65), /more than 64/],
    ['depth of objects', '{"a":'.repeat(1_000_000), /more than 64/],
    ['elements', `[${'1,'.repeat(10_000)}1]`, /more than 10000/],
    ['elements in many arrays', `[${'[1],'.repeat(6_000)}1]`, /more than 10000/],
  ])('is limited in %s', (_, json, sentence) => {
    expect(() => fromJson(json)).toThrow(sentence);
  });

  test('is accepted up to the limits, with numbers and strings of any length', () => {
    const deepest = `${'['.repeat(64)}${']'.repeat(64)}`;
    expect(toJson(fromJson(deepest)).text).toBe(deepest);
    expect((fromJson(`[${'1,'.repeat(9_999)}1]`) as PhpArray).size).toBe(10_000);
    expect(plain(fromJson('1'.repeat(1_000_000)))).toEqual({ float: Number.POSITIVE_INFINITY });
    expect(plain(fromJson(`0.${'1'.repeat(1_000_000)}`))).toEqual({ float: 0.1111111111111111 });
    expect(fromJson(`"${'\\\\'.repeat(1_000_000)}"`)).toHaveLength(1_000_000);
    expect(fromJson(`${' '.repeat(1_000_000)}1`)).toBe(1);
  });

  test('of any kind keeps its meaning', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { text, lossy } = toJson(decodePhp(encodePhp(fromJson(JSON.stringify(value)))));
        expect(lossy).toBe(0);
        // An array without elements and one with the keys of a list are lists to PHP.
        expect(toJson(fromJson(text)).text).toBe(text);
        if (isPlain(value)) expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  /** Returns whether no object in it is a list to PHP. */
  function isPlain(value: unknown): boolean {
    if (Array.isArray(value)) return value.every(isPlain);
    if (typeof value !== 'object' || value === null) return true;
    const keys = Object.keys(value);
    return keys.some((key, index) => key !== String(index)) && Object.values(value).every(isPlain);
  }
});

describe('any value', () => {
  const { value } = fc.letrec<{ value: PhpValue; array: PhpArray }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<PhpValue[]>(null, true, false),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double(),
      fc.double().map((float) => new PhpFloat(float)),
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 20 }),
      tie('array'),
    ),
    array: fc
      .array(
        fc.tuple(
          fc.oneof(
            fc.nat(5),
            fc.maxSafeInteger(),
            fc.integer().map(String),
            fc.string(),
            fc.uint8Array({ maxLength: 5 }),
          ),
          tie('value'),
        ),
        { maxLength: 6 },
      )
      .map((entries) => {
        const array = new PhpArray();
        for (const [key, item] of entries) array.set(key, item);
        return array;
      }),
  }));

  test('decodes from its bytes, and encodes to the same again', () => {
    fc.assert(
      fc.property(value, (drawn) => {
        const bytes = encodePhp(drawn);
        expect(encodePhp(decodePhp(bytes))).toEqual(bytes);
      }),
    );
  });

  test('is JSON that JSON.parse reads', () => {
    fc.assert(
      fc.property(value, (drawn) => {
        const { text, lossy } = toJson(drawn);
        JSON.parse(text);
        if (lossy === 0) expect(toJson(fromJson(text)).text).toBe(text);
      }),
    );
  });

  test('when damaged, is accepted as a whole or rejected', () => {
    let taken = 0;
    let refused = 0;
    fc.assert(
      fc.property(mutated(value.map(encodePhp)), (bytes) => {
        let decoded: PhpValue;
        try {
          decoded = decodePhp(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          refused += 1;
          return;
        }
        taken += 1;
        expect(plain(decodePhp(encodePhp(decoded)))).toEqual(plain(decoded));
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(taken, refused)).toBeGreaterThan(0);
  });
});
