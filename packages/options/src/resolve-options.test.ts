import { OptionError } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { flagOption, integerOption, listOption, numberOption, textOption, valueOption } from './option.ts';
import { resolveOptions } from './resolve-options.ts';

const LOG = {};

const TABLE = {
  host: textOption({ default: 'localhost' }),
  isOpen: flagOption({ default: false }),
  list: listOption({ default: [], valueName: 'NAME' }),
  log: valueOption<object>({ default: LOG }),
  tls: valueOption<object | undefined>({ default: undefined }),
  count: integerOption({ default: 3, min: 1, max: 10, unit: 'things' }),
  share: numberOption({ default: 0.5, min: 0, max: 1, unit: 'parts' }),
  checkMs: integerOption({ default: 1_000, min: 1, max: 5_000, unit: 'milliseconds', isEndless: true }),
};

function problemOf(given: object): OptionError {
  try {
    resolveOptions('createThing', TABLE, given, 'inner.');
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

test('what is not given, or undefined, has its default', () => {
  const given = { count: 10, host: undefined, share: undefined };
  expect(resolveOptions('createThing', TABLE, given as object)).toEqual({
    ...{ host: 'localhost', isOpen: false, list: [], log: LOG, tls: undefined },
    ...{ count: 10, share: 0.5, checkMs: 1_000 },
  });
});

test.each([
  [{ count: 1 }],
  [{ share: 0.25 }],
  [{ share: 0 }],
  [{ checkMs: Number.POSITIVE_INFINITY }],
  [{ tls: { ca: '' } }],
])('%o is within the bounds', (given) => {
  expect(resolveOptions('createThing', TABLE, given)).toMatchObject(given);
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
      'is -Infinity. Give an integer from 1 to 5000, or Infinity (milliseconds).',
    ],
    [{ host: 5 }, 'host', 'is 5. Give a string.'],
    [{ isOpen: 'yes' }, 'isOpen', 'is "yes". Give true or false.'],
    [{ list: 'a' }, 'list', 'is "a". Give a list of strings.'],
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
