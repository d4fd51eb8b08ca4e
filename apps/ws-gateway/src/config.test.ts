import { describe, expect, test } from 'vitest';
import { parseHub } from './config.ts';

describe('parseHub', () => {
  test.each([
    ['127.0.0.1:2206', { host: '127.0.0.1', port: 2206 }],
    ['hub.example.com:1', { host: 'hub.example.com', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('%s', (text, address) => {
    expect(parseHub(text)).toEqual(address);
  });

  test.each([
    '',
    ':2206',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    '127.0.0.1:2206/',
    '127.0.0.1:x',
    '::1:2206',
    '[::1]',
    '[]:2206',
    'a b:2206',
    'a:1:2',
    ' 127.0.0.1:2206',
  ])('refuses %j', (text) => {
    expect(parseHub(text)).toBeUndefined();
  });
});
