import { describe, expect, test } from 'vitest';
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

test('without a list all origins are allowed, and requests without one', () => {
  for (const origin of [undefined, 'null', 'https://any.example']) {
    expect(originVerdict(origin, originsOf([]))).toBe('ok');
  }
});

describe('apps and extensions', () => {
  const LIST = [
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://obsidian.md',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
    'myapp://localhost/',
  ];

  test('are allowed on the list', () => {
    const allowed = originsOf(LIST);
    for (const origin of LIST) expect(originVerdict(origin.replace(/\/$/, ''), allowed)).toBe('ok');
  });

  test.each([
    'null',
    'capacitor://other',
    'http://localhost',
    'capacitor://',
    'chrome-extension://a',
    'file://',
  ])('%s is not among them', (origin) => {
    expect(originVerdict(origin, originsOf(LIST))).toBe('forbidden');
  });
});

describe('a label for *', () => {
  const WILD = originsOf(['https://*.Example.com', 'http://*.local.test:8080', 'https://*.port.example:443']);

  test.each([
    'https://a.example.com',
    'https://xn--bcher-kva.example.com',
    'https://a_b-1.example.com',
    'http://a.local.test:8080',
    'https://a.port.example',
  ])('%s may connect', (origin) => {
    expect(originVerdict(origin, WILD)).toBe('ok');
  });

  test.each([
    undefined,
    'null',
    'https://example.com',
    'https://.example.com',
    'https://a.b.example.com',
    'https://*.example.com',
    'https://aexample.com',
    'http://a.example.com',
    'https://a.example.com:8443',
    'https://a.example.com.evil.example',
    'https://evil.example/a.example.com',
    'https://evil.example#.example.com',
    'https://u@a.example.com',
    'https://a.example.com, https://a.example.com',
    'http://a.local.test',
  ])('%s may not', (origin) => {
    expect(originVerdict(origin, WILD)).toBe('forbidden');
  });

  test.each([
    'https://*',
    'https://*.',
    'https://*.com',
    'https://*.com.',
    'https://a*.example.com',
    'https://*a.example.com',
    'https://a.*.example.com',
    'https://*.*.example.com',
    'https://*.example.com/path',
    'https://*.0.0.1',
    'https://*.example.com:*',
    '*://*.example.com',
    '*.example.com',
    'capacitor://*',
    'chrome-extension://*',
    'capacitor://*.example.com',
  ])('a list with %s is rejected', (text) => {
    expect(() => originsOf([text])).toThrow(
      expect.objectContaining({
        code: 'bad_option',
        message: expect.stringContaining(`has '${text}', which is not an origin`),
      }),
    );
  });
});

test.each([
  'good.example',
  '*',
  '',
  'null',
  'file:///x',
  'file://',
  'file://host',
  'capacitor://',
  'capacitor:',
  'capacitor://localhost/path',
  'data:text/html,x',
  'about:blank',
  'blob:https://good.example/1',
  'wss://good.example',
  'ws://good.example',
  'https://a.example/path',
  'https://a.example?q',
  'https://u@a.example',
  'https://:p@a.example',
])('a list with %s is rejected', (text) => {
  expect(() => originsOf(['https://good.example', text])).toThrow(
    expect.objectContaining({
      code: 'bad_option',
      message: expect.stringContaining(`has '${text}', which is not an origin`),
    }),
  );
});
