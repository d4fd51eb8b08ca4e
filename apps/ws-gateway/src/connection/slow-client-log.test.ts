import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SlowClientLog } from './slow-client-log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('many slow clients cause few lines, and the last one has the number of the others', () => {
  const lines: unknown[][] = [];
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  const log = new SlowClientLog({ debug: write, info: write, warn: write, error: write });
  for (let count = 0; count < 500; count++) {
    log.closed({ id: `${count}`, remoteAddress: '::1', bufferedBytes: 7 }, false);
  }
  expect(lines.length).toBe(10);
  expect(lines[0]?.[0]).toEqual({ clientId: '0', address: '::1', bufferedBytes: 7 });
  log.close();
  expect(lines[10]?.[0]).toEqual({ heldBack: 490 });
  expect(vi.getTimerCount()).toBe(0);
});
