import { readConfig } from '@groupcast/service';
import { describe, expect, test } from 'vitest';
import { program } from './cli/program.ts';
import { GATEWAY_OPTIONS, parseHub } from './config.ts';

describe('parseHub', () => {
  test.each([
    ['127.0.0.1:2206', { host: '127.0.0.1', port: 2206 }],
    ['hub.example.com:1', { host: 'hub.example.com', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['unix:/run/groupcast/hub.sock', { path: '/run/groupcast/hub.sock' }],
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
    'unix:',
    '[]:2206',
    'a b:2206',
    'a:1:2',
    ' 127.0.0.1:2206',
  ])('rejects %j', (text) => {
    expect(parseHub(text)).toBeUndefined();
  });
});

test('an invalid origin is rejected here, and not only by each worker in turn', () => {
  const { allowedOrigins } = GATEWAY_OPTIONS;
  expect(allowedOrigins.fault(['https://a.example', 'http://b.example:8080'])).toBeUndefined();
  for (const text of ['*', 'a.example', 'https://a.example/path', 'null']) {
    expect(allowedOrigins.fault(['https://a.example', text])).toMatch(/^origins/);
  }
});

test('the fault of an option is the rest of a sentence that begins with "must be"', () => {
  expect(GATEWAY_OPTIONS.hub.fault('x')).toMatch(/^an address/);
  expect(GATEWAY_OPTIONS.hub.fault(1)).toBe('a string');
});

test('every command reports limits that contradict each other', () => {
  const read = (...argv: string[]): unknown => readConfig(program, { argv, env: {}, readFile: () => '' });
  expect(() =>
    read('--message-bytes-max=65537', '--client-buffer-bytes=65536', '--group-bytes-burst=65536'),
  ).toThrow(
    '--message-bytes-max is 65537, which is above --client-buffer-bytes. Give at most 65536 (bytes), or raise --client-buffer-bytes.',
  );
  expect(() => read('--client-buffer-bytes=67108865', '--client-buffer-total-bytes=67108864')).toThrow(
    '--client-buffer-bytes is 67108865, which is above --client-buffer-total-bytes.',
  );
  expect(() => read('--client-buffer-bytes=67108864', '--client-buffer-total-bytes=67108864')).not.toThrow();
  expect(() => read('--group-bytes-burst=4194305')).toThrow(
    '--group-bytes-burst is 4194305, which is above --client-buffer-bytes. Give at most 4194304 (bytes), or raise --client-buffer-bytes.',
  );
  expect(() => read('--group-bytes-burst=4194304')).not.toThrow();
  expect(() => read('--group-bytes-burst=4194305', '--group-bytes-per-second=0')).not.toThrow();
});
