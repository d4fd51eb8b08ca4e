import { expect, test } from 'vitest';
import { originsOf, originVerdict } from './origin.ts';

const ALLOWED = originsOf(['https://good.example', 'HTTP://Local.Test:8080/', 'https://port.example:443']);

test.each(['https://good.example', 'http://local.test:8080', 'https://port.example'])(
  '%s may connect',
  (origin) => {
    expect(originVerdict(origin, ALLOWED)).toBe('ok');
  },
);

test.each([
  undefined,
  '',
  'null',
  'http://good.example',
  'https://good.example:444',
  'https://good.example.evil',
  'https://evil-good.example',
  'https://good.example/',
  'https://good.example@evil.example',
  'https://GOOD.example',
  'https://good.example, https://good.example',
  'http://local.test',
])('%s may not', (origin) => {
  expect(originVerdict(origin, ALLOWED)).toBe('forbidden');
});

test('without a list all may, also those that name no origin', () => {
  for (const origin of [undefined, 'null', 'https://any.example']) {
    expect(originVerdict(origin, originsOf([]))).toBe('ok');
  }
});

test.each([
  'good.example',
  '*',
  '',
  'null',
  'file:///x',
  'https://a.example/path',
  'https://a.example?q',
  'https://u@a.example',
])('a list with %s is refused', (text) => {
  expect(() => originsOf(['https://good.example', text])).toThrow(`'${text}' is not an origin`);
});
