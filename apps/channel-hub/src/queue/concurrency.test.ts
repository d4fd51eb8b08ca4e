import { encodeText } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { TestConsumer } from '../../testing/test-consumer.ts';
import { Concurrency } from './concurrency.ts';
import type { QueueLimits } from './queue-limits.ts';
import { WorkQueues } from './work-queues.ts';

const VISIBILITY_MS = 1_000;

function start(limits: Partial<QueueLimits> = {}) {
  let nowMs = 0;
  const queues = new WorkQueues({ visibilityMs: VISIBILITY_MS, ...limits }, () => nowMs);
  const concurrency = new Concurrency();
  const one = new TestConsumer(queues);
  const enqueue = (queue: string, ...texts: string[]): void => {
    for (const text of texts) queues.enqueue(queue, 'text', encodeText(text));
  };
  const pass = (ms: number): void => {
    nowMs += ms;
    queues.tick();
  };
  const watch = (queue: string, count: number) => concurrency.watch(one.consumer, queue, count);
  const unwatch = (queue: string): void => concurrency.unwatch(one.consumer, queue);
  return { queues, concurrency, one, enqueue, pass, watch, unwatch };
}

test('unwatching and watching again does not raise the number of items at a time', () => {
  const { queues, concurrency, one, enqueue, watch, unwatch } = start();
  enqueue('q', 'a', 'b', 'c');
  watch('q', 1);
  for (let times = 0; times < 3; times++) {
    unwatch('q');
    watch('q', 1);
  }
  expect(one.got).toEqual(['a/1']);
  one.done();
  expect(one.got).toEqual(['a/1', 'b/1']);
  expect(queues.stats()).toMatchObject({ leased: 1 });
  expect(concurrency.size).toBe(1);
});

test('watching again with another concurrency counts the items in lease', () => {
  const { one, enqueue, watch, unwatch } = start();
  enqueue('q', 'a', 'b', 'c', 'd');
  watch('q', 2);
  unwatch('q');
  watch('q', 1);
  one.done();
  expect(one.got).toEqual(['a/1', 'b/1']);
  unwatch('q');
  watch('q', 3);
  expect(one.got).toEqual(['a/1', 'b/1', 'c/1', 'd/1']);
});

test.each([
  ['done', ({ one }) => one.done()],
  ['failed', ({ one }) => one.fail()],
  ['withdrawn', ({ one }) => one.withdraw()],
  ['expired', ({ pass }) => pass(VISIBILITY_MS)],
  ['closed', ({ one }) => one.consumer.close()],
] satisfies [string, (started: ReturnType<typeof start>) => unknown][])(
  'an unwatched queue is forgotten when its last lease is %s',
  (_, end) => {
    const started = start();
    const { queues, concurrency, one, enqueue, watch, unwatch } = started;
    enqueue('q', 'a', 'b', 'c');
    watch('q', 2);
    unwatch('q');
    one.done();
    expect(concurrency.size).toBe(1);
    end(started);
    expect(concurrency.size).toBe(0);
    expect(queues.stats()).toMatchObject({ leased: 0 });
  },
);

test('a rejected watch, or one without items, is forgotten', () => {
  const { concurrency, watch, unwatch } = start({ watchesMax: 1 });
  expect(watch('a', 1)).toBeUndefined();
  expect(watch('b', 1)?.code).toBe('queue_limit');
  expect(concurrency.size).toBe(1);
  unwatch('b');
  unwatch('a');
  expect(concurrency.size).toBe(0);
});

test('watching again can be rejected like any other watch, and is then forgotten', () => {
  const { concurrency, one, enqueue, watch, unwatch } = start({ watchesMax: 1 });
  enqueue('a', 'a');
  watch('a', 1);
  unwatch('a');
  watch('b', 1);
  expect(watch('a', 9)?.code).toBe('queue_limit');
  one.done();
  expect(concurrency.size).toBe(1);
});
