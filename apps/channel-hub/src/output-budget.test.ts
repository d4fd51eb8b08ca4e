import { beforeEach, describe, expect, test } from 'vitest';
import { type BufferedPeer, OutputBudget } from './output-budget.ts';

class FakeOutput implements BufferedPeer {
  bufferedBytes: number;
  isPublisher = false;
  isPaused = false;
  isEvicted = false;

  constructor(bufferedBytes: number) {
    this.bufferedBytes = bufferedBytes;
  }
  hasPublished(): boolean {
    return this.isPublisher;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  evict(): void {
    this.isEvicted = true;
    this.bufferedBytes = 0;
  }
}

const BYTES_MAX = 1_600;
let outputs: FakeOutput[];
let budget: OutputBudget;
let counted: number;

beforeEach(() => {
  outputs = [new FakeOutput(0), new FakeOutput(0), new FakeOutput(0)];
  outputs[0]!.isPublisher = true;
  counted = 0;
  budget = new OutputBudget(BYTES_MAX, () => {
    counted += 1;
    return outputs;
  });
});

function queue(...bytes: number[]): void {
  for (const [index, bufferedBytes] of bytes.entries()) outputs[index]!.bufferedBytes = bufferedBytes;
}

describe('OutputBudget', () => {
  test('does nothing while there is room', () => {
    queue(0, 600, 599);
    budget.add(1);
    budget.tick();
    expect(outputs.some((output) => output.isPaused || output.isEvicted)).toBe(false);
    expect(budget.stats()).toEqual({ bufferedBytes: 1_199, pauses: 0, evictions: 0 });
  });

  test('pauses publishers at three quarters, for one tick at a time', () => {
    queue(0, 600, 600);
    budget.add(1);
    budget.tick();
    expect(outputs.map((output) => output.isPaused)).toEqual([true, false, false]);
    queue(0, 600, 599);
    budget.tick();
    expect(outputs[0]!.isPaused).toBe(false);
    expect(budget.stats()).toEqual({ bufferedBytes: 1_199, pauses: 1, evictions: 0 });
  });

  test('evicts the longest buffers, and no more than it must', () => {
    outputs.push(new FakeOutput(300));
    queue(500, 900, 700);
    budget.add(1);
    budget.tick();
    expect(outputs.map((output) => output.isEvicted)).toEqual([false, true, false, false]);
    expect(budget.stats()).toMatchObject({ bufferedBytes: 1_500, evictions: 1 });
  });

  test('does not wait for the tick when much is sent at once', () => {
    queue(0, 1_601, 0);
    budget.add(100);
    expect(outputs[1]!.isEvicted).toBe(false);
    budget.add(1);
    expect(outputs[1]!.isEvicted).toBe(true);
  });

  test('counts nothing while nothing happens', () => {
    budget.tick();
    budget.tick();
    expect(counted).toBe(0);
  });
});
