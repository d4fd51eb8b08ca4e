import { expect, test } from 'vitest';
import { freePort } from './free-port.ts';

test('ports that are asked for at the same time differ', async () => {
  const ports = await Promise.all(Array.from({ length: 100 }, freePort));
  expect(new Set(ports).size).toBe(100);
});
