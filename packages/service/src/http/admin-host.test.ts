import { expect, test } from 'vitest';
import { isHostAllowed } from './admin-host.ts';

test.each([undefined, 'localhost', 'LOCALHOST:2207', '127.0.0.1', '127.0.0.1:2207', '[::1]', '[::1]:2207'])(
  'Host %j is allowed',
  (header) => expect(isHostAllowed(header)).toBe(true),
);

test.each([
  '',
  'evil.example',
  'evil.example:2207',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '[evil]',
  'a:b',
])('Host %j is rejected', (header) => expect(isHostAllowed(header)).toBe(false));
