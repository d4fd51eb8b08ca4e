import { expect, test } from 'vitest';
import { isHost } from './request-fault.ts';

test.each(['', 'localhost', 'example.com:8443', '127.0.0.1:', '[::1]:80', 'a_b.example', 'x%20y'])(
  '%j may stand in Host',
  (value) => {
    expect(isHost(value)).toBe(true);
  },
);

test.each(['a b', 'a/b', 'http://a', 'a@b', 'a:b', 'a:1:2', '[::1', '::1', 'a?b', 'a#b', 'ä'])(
  '%j may not',
  (value) => {
    expect(isHost(value)).toBe(false);
  },
);
