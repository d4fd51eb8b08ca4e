import { encodeText, type ProtocolError } from '@groupcast/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TestConsumer } from '../../testing/test-consumer.ts';
import { ITEM_OVERHEAD_BYTES, type QueueLimits } from './queue-limits.ts';
import { WorkQueues } from './work-queues.ts';

const DEDUPE_MS = 120_000;

function start(limits: Partial<QueueLimits> = {}) {
  let nowMs = 0;
  const queues = new WorkQueues(limits, () => nowMs);
  /** Enqueues a text with an id. Returns the code of the error. */
  const enqueue = (queue: string, text: string, messageId: string): ProtocolError['code'] | undefined =>
    queues.enqueue(queue, 'text', encodeText(text), messageId)?.code;
  const pass = (ms: number): void => {
    nowMs += ms;
    queues.tick();
  };
  return { queues, enqueue, pass };
}

describe('an item with a message id', () => {
  test('is stored once per queue and id, also when it is done', () => {
    const { queues, enqueue } = start();
    const one = new TestConsumer(queues).watch('q', 9);
    enqueue('q', 'a', 'm');
    enqueue('q', 'repeated', 'm');
    one.done();
    enqueue('q', 'repeated again, done', 'm');
    enqueue('q', 'b', 'another');
    enqueue('q', 'c', '');
    enqueue('q', 'd', '');
    expect(one.got).toEqual(['a/1', 'b/1', 'c/1', 'd/1']);
    expect(one.items.map(({ messageId }) => messageId)).toEqual(['another', '', '']);
    enqueue('other queue', 'e', 'm');
    expect(queues.stats()).toMatchObject({ enqueued: 5, duplicates: 2, messageIds: 3, rejected: 0 });
  });

  test('is known for at least 120 s, and not for ever', () => {
    const { queues, enqueue, pass } = start();
    enqueue('q', 'a', 'm');
    for (let ms = 0; ms < DEDUPE_MS; ms += 1_000) pass(1_000);
    enqueue('q', 'a', 'm');
    expect(queues.stats()).toMatchObject({ duplicates: 1, messageIds: 1 });
    for (let ms = 0; ms < DEDUPE_MS / 4; ms += 1_000) pass(1_000);
    expect(queues.stats().messageIds).toBe(0);
    enqueue('q', 'a', 'm');
    expect(queues.stats()).toMatchObject({ enqueued: 2, duplicates: 1, messageIdsDropped: 0 });
  });

  test('that was rejected is not known', () => {
    const { queues, enqueue } = start({ itemsMax: 1 });
    enqueue('q', 'a', 'm1');
    expect(enqueue('q', 'b', 'm2')).toBe('queue_full');
    // The queue has it, however full it is.
    expect(enqueue('q', 'a', 'm1')).toBeUndefined();
    const one = new TestConsumer(queues).watch('q', 9);
    one.done();
    expect(enqueue('q', 'b', 'm2')).toBeUndefined();
    expect(one.got).toEqual(['a/1', 'b/1']);
  });

  test('is rejected in a shutdown also when it is a repetition: the next hub must get it', () => {
    const { queues, enqueue } = start();
    enqueue('q', 'a', 'm');
    queues.stop();
    expect(enqueue('q', 'a', 'm')).toBe('hub_unavailable');
  });

  test('counts with its id in the bytes of the queue', () => {
    const { queues, enqueue } = start({ bytesMax: 2 * ITEM_OVERHEAD_BYTES + 9 });
    enqueue('q', 'ab', '日本');
    expect(queues.stats().bytes).toBe(ITEM_OVERHEAD_BYTES + 8);
    expect(enqueue('q', '', 'mm')).toBe('queue_full');
    expect(enqueue('q', '', 'm')).toBeUndefined();
    new TestConsumer(queues).watch('q', 9).done();
    expect(queues.stats().bytes).toBe(ITEM_OVERHEAD_BYTES + 1);
  });

  test('is a new item when it comes from the dead-letter queue', () => {
    const { queues, enqueue } = start({ attemptsMax: 1 });
    enqueue('q', 'a', 'm');
    new TestConsumer(queues).watch('q').fail();
    const dead = new TestConsumer(queues).watch('$dead:q');
    expect(dead.items).toMatchObject([{ queue: '$dead:q', messageId: 'm', attempt: 1 }]);
    enqueue('q', 'a', 'm');
    enqueue('q', 'a', 'm');
    expect(queues.stats()).toMatchObject({ enqueued: 2, duplicates: 1, dead: 1, messageIds: 1 });
  });

  test('is forgotten early beyond the limit: the oldest of the queue with the most', () => {
    const { queues, enqueue } = start({ dedupeIdsMax: 80 });
    enqueue('quiet', 'a', 'm');
    for (let index = 0; index < 1_000; index++) {
      enqueue('loud', 'a', `m${index}`);
      expect(queues.stats().messageIds).toBeLessThanOrEqual(80);
    }
    enqueue('quiet', 'a', 'm');
    enqueue('loud', 'a', 'm999');
    const { messageIds, messageIdsDropped, duplicates } = queues.stats();
    expect([messageIds + messageIdsDropped, duplicates]).toEqual([1_001, 2]);
  });
});

test('an item with a message id is enqueued once in its time, in any order of events', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ queue: fc.constantFrom('a', 'b'), id: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.constant('done' as const) },
    { weight: 2, arbitrary: fc.nat(400) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { queues, enqueue, pass } = start({ dedupeMs: 1_000 });
      const consumer = new TestConsumer(queues).watch('a').watch('b');
      const since = new Map<string, number>();
      let nowMs = 0;
      for (const one of steps) {
        if (one === 'done') {
          if (consumer.items.length > 0) consumer.done();
        } else if (typeof one === 'number') {
          nowMs += one;
          pass(one);
        } else {
          const key = `${one.queue}${one.id}`;
          const before = queues.stats().enqueued;
          expect(enqueue(one.queue, key, `m${one.id}`)).toBeUndefined();
          const isStored = queues.stats().enqueued > before;
          const ageMs = nowMs - (since.get(key) ?? Number.NEGATIVE_INFINITY);
          // Between the two, the id may have been forgotten or not.
          if (ageMs <= 1_000) expect(isStored).toBe(false);
          if (ageMs > 1_000 + 2 * 400 + 1_000 / 8) expect(isStored).toBe(true);
          if (isStored) since.set(key, nowMs);
        }
      }
    }),
  );
});
