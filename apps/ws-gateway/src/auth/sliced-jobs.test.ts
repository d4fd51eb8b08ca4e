import { afterEach, beforeEach, expect, test } from 'vitest';
import { SlicedJobs } from './sliced-jobs.ts';

let jobs: SlicedJobs;
let done: string[];

beforeEach(() => {
  jobs = new SlicedJobs();
  done = [];
});
afterEach(() => jobs.close());

function* steps(name: string, count: number): Generator<undefined> {
  for (let at = 0; at < count; at++) {
    done.push(`${name}${at}`);
    yield;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test('no turn does more than 500 steps, and jobs follow each other', async () => {
  jobs.add('a', () => steps('a', 600));
  jobs.add('b', () => steps('b', 2));
  expect(done).toEqual([]);
  await nextTurn();
  expect(done).toHaveLength(500);
  await nextTurn();
  expect(done.slice(-3)).toEqual(['a599', 'b0', 'b1']);
  expect(jobs.size).toBe(0);
});

test('a job that is added while it runs begins again, once, and never from its beginning alone', async () => {
  jobs.add('a', () => steps('x', 501));
  await nextTurn();
  for (const name of ['y', 'z']) jobs.add('a', () => steps(name, 1));
  await nextTurn();
  expect(done.slice(500)).toEqual(['x500', 'z0']);
  expect(jobs.size).toBe(0);
});

test('a step may add a job, and may close all', async () => {
  jobs.add('a', function* () {
    jobs.add('b', () => steps('b', 1));
    yield;
    jobs.close();
    yield;
    done.push('late');
  });
  await nextTurn();
  await nextTurn();
  expect(done).toEqual([]);
  expect(jobs.size).toBe(0);
});
