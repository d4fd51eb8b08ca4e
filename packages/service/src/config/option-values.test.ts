import {
  choiceOption,
  flagOption,
  integerOption,
  listOption,
  numberOption,
  type Option,
  textOption,
} from '@groupcast/options';
import { describe, expect, test } from 'vitest';
import { formatValue, valueOfJson, valueOfTexts } from './option-values.ts';

const port = integerOption({ default: 2206, min: 0, max: 65_535, unit: 'TCP port', describe: 'Port.' });
const seconds = numberOption({ default: 1, min: 0, max: 10, unit: 'seconds', describe: 'Time.' });
const insecure = flagOption({ default: false, describe: 'Risk.' });
const origins = listOption({ default: [], valueName: 'ORIGIN', describe: 'Origins.' });
const level = choiceOption({ choices: ['info', 'warn'], default: 'info', describe: 'Level.' });
const path = textOption({ default: '', valueName: 'FILE', describe: 'File.' });

function checked(option: Option<unknown>, value: unknown): unknown {
  const allowed = option.fault(value);
  return allowed === undefined ? value : `rejected: ${allowed}`;
}

function text<T>(option: Option<T>, ...texts: string[]): unknown {
  return checked(option, valueOfTexts(option, texts));
}

function json<T>(option: Option<T>, value: unknown): unknown {
  return checked(option, valueOfJson(option, value));
}

describe('values as text', () => {
  test('an integer within its bounds, both included', () => {
    expect([text(port, '0'), text(port, '65535'), text(port, '1', '2')]).toEqual([0, 65_535, 2]);
    for (const bad of ['65536', '-1', '1.5', '1e3', '0x10', '', ' 1', 'abc', '9'.repeat(400)]) {
      expect(text(port, bad)).toBe('rejected: an integer from 0 to 65535');
    }
  });

  test('a number with a fraction', () => {
    expect([text(seconds, '0.25'), text(seconds, '10')]).toEqual([0.25, 10]);
    for (const bad of ['10.1', '.5', 'Infinity', 'NaN', '']) {
      expect(text(seconds, bad)).toBe('rejected: a number from 0 to 10');
    }
  });

  test('a flag as true, 1, false or 0', () => {
    expect(['true', '1', 'false', '0'].map((word) => text(insecure, word))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(text(insecure, 'yes')).toBe('rejected: true or false');
  });

  test('a list by commas and by repetition, which is frozen', () => {
    const value = text(origins, 'a, b,,', 'c');
    expect(value).toEqual(['a', 'b', 'c']);
    expect(Object.isFrozen(value)).toBe(true);
  });

  test('one of the choices, and no name of an object', () => {
    expect(text(level, 'warn')).toBe('warn');
    expect(text(level, 'constructor')).toBe('rejected: one of info, warn');
  });
});

describe('values of a config file', () => {
  test('values of its own JSON type only', () => {
    expect([json(port, 1), json(seconds, 0.5), json(insecure, true), json(path, 'x')]).toEqual([
      1,
      0.5,
      true,
      'x',
    ]);
    expect(json(origins, ['a', 'b,c'])).toEqual(['a', 'b', 'c']);
    expect(json(level, 'warn')).toBe('warn');
    for (const bad of [null, {}, [1], '1', 1.5, -1]) expect(json(port, bad)).toMatch(/^rejected: an integer/);
    for (const bad of [null, 1, 'true']) expect(json(insecure, bad)).toBe('rejected: true or false');
    expect(json(origins, 'a,b')).toEqual(['a', 'b']);
    for (const bad of [null, 1, [1], { length: 0 }])
      expect(json(origins, bad)).toBe('rejected: a list of strings');
    expect(json(path, 1)).toBe('rejected: a string');
  });
});

test('a check of its own rejects with its sentence, and only where the kind is right', () => {
  const short = textOption({
    default: '',
    check: (value) => (value.length < 3 ? undefined : 'short'),
  });
  expect([text(short, 'ab'), text(short, 'abc'), json(short, 4)]).toEqual([
    'ab',
    'rejected: short',
    'rejected: a string',
  ]);
});

test('values are shown as they are written, and nothing as (none)', () => {
  expect([
    formatValue(1),
    formatValue(false),
    formatValue(''),
    formatValue([]),
    formatValue(['a', 'b']),
  ]).toEqual(['1', 'false', '(none)', '(none)', 'a,b']);
});
