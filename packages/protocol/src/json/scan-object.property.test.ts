import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JSON_DEPTH_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { JsonObjectText } from './object-text.ts';
import { type JsonSpan, scanObject } from './scan-object.ts';

/** Documents per property: 100,000 in all. */
const RUNS = 50_000;

const UNBOUNDED = {
  payloads: ['data'],
  keysMax: Number.MAX_SAFE_INTEGER,
  nodesMax: Number.MAX_SAFE_INTEGER,
};

/** Returns the spans of the members, or undefined for a text that is rejected. */
function scanned(text: string): Map<string, JsonSpan> | undefined {
  const members = new Map<string, JsonSpan>();
  try {
    scanObject(text, UNBOUNDED, members);
    return members;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'bad_json') return undefined;
    throw error;
  }
}

/** Returns the result of JSON.parse for an object, or undefined for other texts. */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Asserts that it accepts what JSON.parse accepts, with each member in its place. */
function agree(text: string): void {
  const members = scanned(text);
  const value = parsed(text);
  expect(members === undefined, text).toBe(value === undefined);
  if (members === undefined || value === undefined) return;
  expect([...members.keys()].sort(), text).toEqual(Object.keys(value).sort());
  for (const [name, { start, end }] of members) {
    const written = text.slice(start, end);
    expect(written.trim(), text).toBe(written);
    expect(JSON.parse(written), text).toEqual(Object.getOwnPropertyDescriptor(value, name)?.value);
  }
}

const space = fc.constantFrom('', '', '', ' ', '\t', '\r\n ');
const number = fc.constantFrom(
  ...['0', '-0', '1.0', '1e5', '-1.50E+2', '9007199254740993', '12345678901234567890', '1e400', '0.1e-9'],
);
const string = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '"\\u0041"',
    '"\\ud800"',
    '"\\""',
    '"\\\\"',
    '"a\\/b"',
    '"日本"',
    '""',
    '"__proto__"',
    '"data"',
  ),
);
const { document } = fc.letrec<{ document: string; value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(number, string, fc.constantFrom('true', 'false', 'null')),
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(
      space,
      fc.array(
        fc.tuple(space, tie('value'), space).map((parts) => parts.join('')),
        { maxLength: 4 },
      ),
    )
    .map(([inside, items]) => `[${inside}${items.join(',')}]`),
  object: fc
    .tuple(
      space,
      fc.array(
        fc
          .tuple(space, string, space, space, tie('value'), space)
          .map(
            ([before, key, behind, between, value, after]) =>
              `${before}${key}${behind}:${between}${value}${after}`,
          ),
        { maxLength: 4 },
      ),
    )
    .map(([inside, members]) => `{${inside}${members.join(',')}}`),
  document: fc.tuple(space, tie('object'), space).map((parts) => parts.join('')),
}));

test('documents are read as by JSON.parse', () => {
  fc.assert(fc.property(document, agree), { numRuns: RUNS });
});

test('broken documents are rejected as by JSON.parse', () => {
  const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const put = fc.constantFrom(
    ...[
      '',
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-',
      '.',
      'e',
      'null',
      ' ',
      '\n',
      '\u0000',
      '\ud800',
      '\ufeff',
    ],
  );
  fc.assert(
    fc.property(document, at, put, fc.nat(2), (text, place, piece, removed) => {
      const index = Math.floor(place * text.length);
      agree(text.slice(0, index) + piece + text.slice(index + removed));
    }),
    { numRuns: RUNS },
  );
});

test('numbers have the digits of JSON', () => {
  const pieces = fc.array(fc.constantFrom('0', '1', '9', '-', '+', '.', 'e', 'E'), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, (parts) => agree(`{"a":${parts.join('')}}`)),
    { numRuns: 5_000 },
  );
});

test('a string is read to its end, with any number of escapes', () => {
  for (const inside of ['\\n', 'a\\u0001', '\\\\', '\\"', 'x'.repeat(99), '\\n\n', '\\x']) {
    for (const count of [1, 499, 500, 501, 1_000, 20_000]) agree(`{"a":"${inside.repeat(count)}","b":1}`);
  }
});

test('the depth includes the payload', () => {
  const nested = (name: string, levels: number): string =>
    `{"${name}":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
  for (const name of ['data', 'other']) {
    expect(scanned(nested(name, JSON_DEPTH_MAX))).toBeDefined();
    expect(scanned(nested(name, JSON_DEPTH_MAX + 1))).toBeUndefined();
    expect(scanned(nested(name, 1_000_000))).toBeUndefined();
  }
});

test('payloads do not change the limits of what follows it', () => {
  const bounds = { payloads: ['data', 'meta'], keysMax: 2, nodesMax: 3 };
  const scan = (text: string) => () => new JsonObjectText(text).scan(bounds);
  expect(scan('{"data":[0,0,0,0,{"a":0,"b":0,"c":0}],"x":[0,0]}')).not.toThrow();
  expect(scan('{"data":[0,0,0,0],"meta":{"a":0,"b":0,"c":0,"d":[]}}')).not.toThrow();
  expect(scan('{"data":[0,0,0,0],"x":[0,0,0]}')).toThrow('has too many values');
  expect(scan('{"data":[],"x":0,"y":0}')).toThrow('has an object of more than 2 keys');
});
