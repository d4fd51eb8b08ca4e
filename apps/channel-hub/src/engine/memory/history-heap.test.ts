import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { expect, test } from 'vitest';
import { History } from './history.ts';
import { completeHistoryLimits } from './history-limits.ts';

const MIB = 1024 * 1024;
const TOTAL_BYTES_MAX = 24 * MIB;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Memory of V8: objects, and the bytes of their buffers, and that of slabs, which V8 does not
 * count. The overhead of malloc is not visible here.
 */
function heldBytes(history: History): number {
  // Buffers are counted out when they are swept, which the second collection waits for.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers + history.stats().slabBytes;
}

function publishTo(history: History, channel: string, payloadBytes: number): void {
  const fields = TEXT_FIELDS;
  history.publish(
    channel,
    native.encodePublish({ channel, ...fields, payload: new Uint8Array(payloadBytes) }),
    1,
    0,
  );
}

test.each([
  ['a channel for each publication', (index: number) => `group:${index}`, 50],
  ['few channels, short publications', (index: number) => `group:${index % 1_000}`, 50],
  ['few channels, longer publications', (index: number) => `group:${index % 100}`, 1_000],
])('the counted bytes are the memory used: %s', (_name, channelOf, payloadBytes) => {
  // The memory of an empty engine is a megabyte at any limit, and not counted.
  const history = new History(completeHistoryLimits({ totalBytesMax: TOTAL_BYTES_MAX }));
  const before = heldBytes(history);
  let index = 0;
  while (history.stats().trimmed.total === 0) publishTo(history, channelOf(index++), payloadBytes);
  // As much again, to leave holes behind dropped entries.
  for (let more = index; more > 0; more--) publishTo(history, channelOf(index++), payloadBytes);
  const held = heldBytes(history) - before;
  expect(history.stats().bytes).toBeLessThanOrEqual(TOTAL_BYTES_MAX);
  expect(held).toBeLessThan(TOTAL_BYTES_MAX);
  // The estimate is not so high that little of the limit is used.
  expect(held).toBeGreaterThan(TOTAL_BYTES_MAX / 3);
  expect(history.stats().publications).toBeGreaterThan(0);
});

test.each([10, 200])(
  'the counted bytes of positions are their memory, for names of %i characters',
  (length) => {
    const history = new History(completeHistoryLimits({ totalBytesMax: TOTAL_BYTES_MAX }));
    const before = heldBytes(history);
    for (let index = 0; history.stats().positionsDropped === 0; index++)
      history.read(`${index}`.padEnd(length));
    const held = heldBytes(history) - before;
    expect(history.stats().bytes).toBeLessThanOrEqual(TOTAL_BYTES_MAX / 8);
    expect(held).toBeLessThan(TOTAL_BYTES_MAX / 8);
    expect(held).toBeGreaterThan(TOTAL_BYTES_MAX / 24);
  },
);
