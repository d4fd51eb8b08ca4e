import { describe, expect, test } from 'vitest';
import { OptionError } from './option-error.ts';
import { type OptionRanges, resolveOptions } from './resolve-options.ts';

interface Options {
  readonly host: string;
  readonly isOpen: boolean;
  readonly list: readonly string[];
  readonly log: object;
  readonly tls: object | undefined;
  readonly count: number;
  readonly share: number;
  readonly checkMs: number;
}

const DEFAULTS: Options = {
  host: 'localhost',
  isOpen: false,
  list: [],
  log: {},
  tls: undefined,
  count: 3,
  share: 0.5,
  checkMs: 1_000,
};

const RANGES: OptionRanges<Options> = {
  count: { min: 1, max: 10, unit: 'things' },
  share: { min: 0, max: 1, unit: 'parts', isFractional: true },
  checkMs: { min: 1, max: 5_000, unit: 'milliseconds', isEndless: true },
};

function problemOf(given: object): OptionError {
  try {
    resolveOptions('createThing', DEFAULTS, RANGES, given, 'inner.');
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

test('what is not given, or undefined, has its default', () => {
  const given = { count: 10, host: undefined, share: undefined };
  expect(resolveOptions<Options>('createThing', DEFAULTS, RANGES, given as object)).toEqual({
    ...DEFAULTS,
    count: 10,
  });
});

test.each([
  [{ count: 1 }],
  [{ share: 0.25 }],
  [{ share: 0 }],
  [{ checkMs: Number.POSITIVE_INFINITY }],
  [{ tls: { ca: '' } }],
])('%o is within the bounds', (given) => {
  expect(resolveOptions<Options>('createThing', DEFAULTS, RANGES, given)).toMatchObject(given);
});

describe('an option that cannot be', () => {
  test.each<[object, string, string]>([
    [{ count: 0 }, 'count', 'is 0. Give an integer from 1 to 10 (things).'],
    [{ count: 11 }, 'count', 'is 11. Give an integer from 1 to 10 (things).'],
    [{ count: 1.5 }, 'count', 'is 1.5. Give an integer from 1 to 10 (things).'],
    [{ count: Number.NaN }, 'count', 'is NaN. Give an integer from 1 to 10 (things).'],
    [{ count: '5' }, 'count', 'is "5". Give an integer from 1 to 10 (things).'],
    [{ count: null }, 'count', 'is null. Give an integer from 1 to 10 (things).'],
    [{ count: 5n }, 'count', 'is of type bigint. Give an integer from 1 to 10 (things).'],
    [{ share: 1.5 }, 'share', 'is 1.5. Give a number from 0 to 1 (parts).'],
    [{ share: Number.POSITIVE_INFINITY }, 'share', 'is Infinity. Give a number from 0 to 1 (parts).'],
    [
      { checkMs: Number.NEGATIVE_INFINITY },
      'checkMs',
      'is -Infinity. Give an integer from 1 to 5000 (milliseconds), or Infinity.',
    ],
    [{ host: 5 }, 'host', 'is 5. Give a string.'],
    [{ isOpen: 'yes' }, 'isOpen', 'is "yes". Give a boolean.'],
    [{ list: 'a' }, 'list', 'is "a". Give an array.'],
    [{ log: null }, 'log', 'is null. Give an object.'],
    [
      { hots: 'a' },
      'hots',
      'is not known. The options are host, isOpen, list, log, tls, count, share, checkMs.',
    ],
    // What every object has is no option.
    [
      { constructor: 1 },
      'constructor',
      'is not known. The options are host, isOpen, list, log, tls, count, share, checkMs.',
    ],
    [{ host: { toString: 'a' } }, 'host', 'is of type object. Give a string.'],
  ])('%o', (given, name, problem) => {
    const error = problemOf(given);
    expect(error).toMatchObject({ name: 'OptionError', code: 'bad_option', option: `inner.${name}` });
    expect(error.message).toBe(`createThing: option inner.${name} ${problem}`);
  });

  test('is shown shortly, however long it is', () => {
    expect(problemOf({ count: 'x'.repeat(1_000) }).message.length).toBeLessThan(150);
  });
});
