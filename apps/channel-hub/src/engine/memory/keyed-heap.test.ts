import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { native } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { publicationOf } from '../../../testing/engine-harness.ts';
import { KeyedValues } from './keyed-values.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heldBytes(): number {
  // Buffers are counted out when they are swept, which the second collection waits for.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test.each([
  ['that never expire', 0, 10],
  ['that expire', 60_000, 10],
  ['that are longer', 60_000, 1_000],
])('the counted bytes of values %s are their memory', (_name, lifeMs, length) => {
  const values = new KeyedValues({ valuesMax: 1e6, bytesMax: 1e9 });
  const before = heldBytes();
  for (let index = 0; index < 20_000; index++) {
    const keyed = { key: `uid:${index}`, lifeMs };
    const publication = { ...publicationOf('$bans', 'x'.repeat(length)), keyed };
    values.apply(publication, keyed, native.encodePublish(publication), index);
  }
  const held = heldBytes() - before;
  const { bytes, keys } = values.stats();
  expect(keys).toBe(20_000);
  expect(held / bytes).toBeGreaterThan(0.7);
  expect(held / bytes).toBeLessThan(1.2);
});
