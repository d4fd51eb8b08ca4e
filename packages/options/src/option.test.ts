import { expect, test } from 'vitest';
import {
  choiceOption,
  defaultsOf,
  inSeconds,
  integerOption,
  numberOption,
  rangeOf,
  valueOption,
  withRange,
} from './option.ts';

const count = integerOption({ default: 3, min: 1, max: 10, unit: 'things', describe: 'Things.' });
const share = numberOption({ default: 0.5, min: 0, max: 1, unit: 'parts' });

test('a range can be changed, and nothing else changes with it', () => {
  const wide = withRange(count, { max: 100 });
  expect(wide).toMatchObject({ default: 3, unit: 'things', describe: 'Things.' });
  expect([wide.fault(100), wide.fault(1.5), count.fault(11)]).toEqual([
    undefined,
    'an integer from 1 to 100',
    'an integer from 1 to 10',
  ]);
  expect(withRange(share, { max: 2 }).fault(1.5)).toBeUndefined();
  expect(rangeOf(share)).toEqual({ min: 0, max: 1, isInteger: false });
});

test('an option in milliseconds becomes one in seconds, with a factor that leads back', () => {
  const time = integerOption({ default: 1_500, min: 1, max: 100_000, unit: 'milliseconds' });
  const seconds = inSeconds(time, { min: 1, max: 100 });
  expect(seconds).toMatchObject({ default: 1.5, unit: 'seconds', toFactor: 1_000 });
  expect([seconds.fault(0.5), seconds.fault(2.25)]).toEqual(['a number from 1 to 100', undefined]);
});

test('the defaults of a table', () => {
  expect(defaultsOf({ count, share })).toEqual({ count: 3, share: 0.5 });
});

test('only a word of the list is a choice', () => {
  const level = choiceOption({ choices: ['info', 'warn'], default: 'info' });
  expect([level.fault('warn'), level.fault('constructor'), level.fault(1)]).toEqual([
    undefined,
    'one of info, warn',
    'one of info, warn',
  ]);
});

test('a function and an object are told apart, and a check sees the rest', () => {
  expect(valueOption({ default: () => {} }).fault({})).toBe('a function');
  const even = valueOption({ default: { size: 2 }, check: ({ size }) => (size % 2 ? 'even' : undefined) });
  expect([even.fault({ size: 4 }), even.fault({ size: 3 }), even.fault(null)]).toEqual([
    undefined,
    'even',
    'an object',
  ]);
});
