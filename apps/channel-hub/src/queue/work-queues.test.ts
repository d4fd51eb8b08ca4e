import { encodeText, type ProtocolError } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { TestConsumer } from '../../testing/test-consumer.ts';
import { ITEM_OVERHEAD_BYTES, type QueueLimits } from './queue-limits.ts';
import { Credit } from './work-queue.ts';
import { WorkQueues } from './work-queues.ts';

const VISIBILITY_MS = 1_000;

function start(limits: Partial<QueueLimits> = {}) {
  let nowMs = 0;
  const queues = new WorkQueues({ visibilityMs: VISIBILITY_MS, ...limits }, () => nowMs);
  /** Returns the code of the error if one more item is rejected. */
  const errorOf = (queue: string, text = ''): ProtocolError['code'] | undefined =>
    queues.enqueue(queue, 'text', encodeText(text))?.code;
  const enqueue = (queue: string, ...texts: string[]): void => {
    for (const text of texts) expect(errorOf(queue, text)).toBeUndefined();
  };
  const pass = (ms: number): void => {
    nowMs += ms;
    queues.tick();
  };
  const addConsumer = (): TestConsumer => new TestConsumer(queues);
  return { queues, enqueue, errorOf, pass, addConsumer };
}

describe('delivery', () => {
  test('delivers items in order, up to the concurrency of the consumer', () => {
    const { enqueue, addConsumer } = start();
    enqueue('q', 'a', 'b', 'c', 'd');
    const one = addConsumer().watch('q', 2);
    expect(one.got).toEqual(['a/1', 'b/1']);
    one.done();
    expect(one.got).toEqual(['a/1', 'b/1', 'c/1']);
    one.done();
    one.done();
    one.done();
    enqueue('q', 'e');
    expect(one.got).toEqual(['a/1', 'b/1', 'c/1', 'd/1', 'e/1']);
  });

  test('is round-robin between consumers with credit, and a lease blocks no other consumer', () => {
    const { enqueue, addConsumer } = start();
    const [one, two, three] = [
      addConsumer().watch('q', 9),
      addConsumer().watch('q', 9),
      addConsumer().watch('q', 1),
    ];
    enqueue('q', 'a', 'b', 'c', 'd', 'e');
    expect([one.got, two.got, three.got]).toEqual([['a/1', 'd/1'], ['b/1', 'e/1'], ['c/1']]);
  });

  test('a consumer receives only items of the queue that it watches', () => {
    const { enqueue, addConsumer } = start();
    enqueue('__proto__', 'a');
    enqueue('q', 'b');
    expect(addConsumer().watch('__proto__').got).toEqual(['a/1']);
  });

  test('the payload is a copy of the bytes that were read', () => {
    const { queues, addConsumer } = start();
    const read = Buffer.from('a');
    queues.enqueue('q', 'json', read);
    read[0] = 0;
    expect(addConsumer().watch('q').items).toEqual([
      { queue: 'q', id: 1, attempt: 1, kind: 'json', payload: encodeText('a'), messageId: '' },
    ]);
  });

  test('a consumer has at most leasedBytesMax in lease, but always one item', () => {
    const { enqueue, addConsumer } = start({ leasedBytesMax: 2 * ITEM_OVERHEAD_BYTES + 2 });
    const one = addConsumer().watch('q', 9).watch('other', 9);
    enqueue('q', 'x'.repeat(9_999), 'a');
    enqueue('other', 'b', 'c');
    expect(one.got).toHaveLength(1);
    one.done();
    expect(one.got.slice(1)).toEqual(['a/1', 'b/1']);
    one.done();
    expect(one.got.slice(3)).toEqual(['c/1']);
  });
});

describe('an item that was not done', () => {
  test('is delivered again before later items when it failed', () => {
    const { enqueue, addConsumer } = start();
    const one = addConsumer().watch('q');
    enqueue('q', 'a', 'b');
    one.fail();
    one.done();
    one.done();
    expect(one.got).toEqual(['a/1', 'a/2', 'b/1']);
  });

  test('returns to its place, in any order of failures', () => {
    const { enqueue, addConsumer } = start();
    const one = addConsumer().watch('q', 3);
    enqueue('q', 'a', 'b', 'c', 'd');
    const [a, b, c] = one.items;
    one.consumer.unwatch('q');
    for (const item of [b!, c!, a!]) one.consumer.failed('q', item.id, 1);
    expect(addConsumer().watch('q', 9).got).toEqual(['a/2', 'b/2', 'c/2', 'd/1']);
  });

  test('is delivered again when its lease ends, and no sooner', () => {
    const { queues, enqueue, pass, addConsumer } = start();
    const one = addConsumer().watch('q');
    enqueue('q', 'a');
    pass(VISIBILITY_MS - 1);
    expect(one.got).toEqual(['a/1']);
    pass(1);
    expect(one.got).toEqual(['a/1', 'a/2']);
    expect(queues.stats()).toMatchObject({ expired: 1, redelivered: 1, leased: 1, waiting: 0 });
  });

  test('returns to its queue when its consumer closes', () => {
    const { queues, enqueue, addConsumer } = start();
    const [one, two] = [addConsumer().watch('q', 2), addConsumer()];
    enqueue('q', 'a', 'b', 'c');
    two.watch('q', 9);
    expect(two.got).toEqual(['c/1']);
    one.consumer.close();
    one.consumer.close();
    one.watch('q');
    expect(one.got).toEqual(['a/1', 'b/1']);
    expect(two.got).toEqual(['c/1', 'a/2', 'b/2']);
    expect(queues.rows(1)).toMatchObject([{ watchers: 1, leased: 3 }]);
  });

  test('reaches the next consumer when one closes within the delivery', () => {
    const { enqueue, addConsumer } = start({ attemptsMax: 9_999 });
    // More than the stack is deep.
    const leaving = Array.from({ length: 5_000 }, () => addConsumer());
    for (const one of leaving) one.onDelivery = () => one.consumer.close();
    for (const one of leaving) one.watch('q');
    const last = addConsumer().watch('q');
    enqueue('q', 'a');
    expect(last.got).toEqual(['a/5001']);
  });
});

describe('an outcome of an attempt that is over', () => {
  test('done: counts while the item was not delivered again', () => {
    const { queues, enqueue, pass, addConsumer } = start();
    const one = addConsumer().watch('q');
    enqueue('q', 'a');
    one.consumer.unwatch('q');
    pass(VISIBILITY_MS);
    expect(queues.stats()).toMatchObject({ waiting: 1 });
    expect(one.done()).toBe(true);
    expect(queues.stats()).toMatchObject({ waiting: 0, bytes: 0, queues: 0, done: 1 });
  });

  test('done: does not end a later lease, not even of the same consumer', () => {
    const { queues, enqueue, pass, addConsumer } = start();
    const one = addConsumer().watch('q');
    enqueue('q', 'a');
    pass(VISIBILITY_MS);
    expect(one.got).toEqual(['a/1', 'a/2']);
    expect(one.done()).toBe(false);
    expect(queues.stats()).toMatchObject({ leased: 1, done: 0 });
    expect(one.done()).toBe(true);
    expect(queues.stats()).toMatchObject({ leased: 0, done: 1 });
  });

  test('failed: has no effect', () => {
    const { queues, enqueue, pass, addConsumer } = start();
    const one = addConsumer().watch('q');
    enqueue('q', 'a');
    one.consumer.unwatch('q');
    pass(VISIBILITY_MS);
    expect(one.fail()).toBe(false);
    expect(queues.stats()).toMatchObject({ failed: 0, waiting: 1 });
  });

  test('a consumer cannot end the lease of another one, or of an unknown item', () => {
    const { queues, enqueue, addConsumer } = start();
    const [one, two] = [addConsumer().watch('q'), addConsumer()];
    enqueue('q', 'a');
    for (const report of ['done', 'failed'] as const) {
      expect(two.consumer[report]('q', 1, 1)).toBe(false);
      expect(one.consumer[report]('q', 2, 1)).toBe(false);
      expect(one.consumer[report]('other', 1, 1)).toBe(false);
    }
    expect(queues.stats()).toMatchObject({ leased: 1 });
  });
});

describe('a delivery that never left', () => {
  test('returns the item to its place, and the attempt does not count', () => {
    const { queues, enqueue, addConsumer } = start({ attemptsMax: 1 });
    const one = addConsumer().watch('q', 2);
    enqueue('q', 'a', 'b', 'c');
    one.consumer.unwatch('q');
    expect(one.withdraw()).toBe(true);
    expect(queues.stats()).toMatchObject({ waiting: 2, leased: 1 });
    const two = addConsumer().watch('q', 9);
    expect(two.got).toEqual(['a/1', 'c/1']);
    one.withdraw();
    expect(two.got).toEqual(['a/1', 'c/1', 'b/1']);
    expect(queues.stats()).toMatchObject({ failed: 0, expired: 0, redelivered: 0, dead: 0, done: 0 });
  });

  test('counts as one redelivery, however often it is repeated', () => {
    const { queues, enqueue, addConsumer } = start();
    const one = addConsumer().watch('q');
    enqueue('q', 'a');
    one.fail();
    one.withdraw();
    one.withdraw();
    expect(one.got).toEqual(['a/1', 'a/2', 'a/2', 'a/2']);
    expect(queues.stats()).toMatchObject({ failed: 1, redelivered: 1 });
    one.fail();
    expect(one.got.at(-1)).toBe('a/3');
    expect(queues.stats()).toMatchObject({ failed: 2, redelivered: 2 });
  });

  test('no outcome ends the item, not even one of an earlier attempt', () => {
    const { queues, enqueue, pass, addConsumer } = start();
    const one = addConsumer().watch('q');
    enqueue('q', 'a');
    pass(VISIBILITY_MS);
    one.consumer.unwatch('q');
    expect(one.consumer.withdraw('q', 1, 1)).toBe(false);
    expect(one.consumer.withdraw('q', 1, 2)).toBe(true);
    const reportAll = (): boolean[] =>
      [0, 1, 2, 3].flatMap((attempt) => [
        one.consumer.done('q', 1, attempt),
        one.consumer.failed('q', 1, attempt),
        one.consumer.withdraw('q', 1, attempt),
      ]);
    expect(reportAll()).not.toContain(true);
    const two = addConsumer().watch('q');
    expect(two.got).toEqual(['a/2']);
    expect(reportAll()).not.toContain(true);
    expect(two.done()).toBe(true);
    expect(queues.stats()).toMatchObject({ queues: 1, bytes: 0, done: 1, failed: 0 });
  });

  test('an item whose only delivery was withdrawn cannot be done', () => {
    const { queues, enqueue, addConsumer } = start();
    const one = addConsumer().watch('q');
    enqueue('q', 'a');
    one.consumer.unwatch('q');
    one.withdraw();
    expect(one.consumer.done('q', 1, 0)).toBe(false);
    expect(queues.stats()).toMatchObject({ waiting: 1, done: 0 });
  });

  test('a consumer cannot withdraw the lease of another one', () => {
    const { enqueue, addConsumer } = start();
    const [, two] = [addConsumer().watch('q'), addConsumer()];
    enqueue('q', 'a');
    expect(two.consumer.withdraw('q', 1, 1)).toBe(false);
  });

  test('at most once: there is no lease to withdraw', () => {
    const { queues, enqueue } = start();
    const one = new TestConsumer(queues, { autoAck: true }).watch('q');
    enqueue('q', 'a');
    expect(one.withdraw()).toBe(false);
    expect(queues.stats()).toMatchObject({ done: 1, waiting: 0, queues: 1 });
  });
});

describe('dead letters', () => {
  test('an item moves to the dead-letter queue after its last attempt, and is new there', () => {
    const { queues, enqueue, pass, addConsumer } = start({ attemptsMax: 3 });
    const one = addConsumer().watch('q');
    enqueue('q', 'a', 'b');
    one.fail();
    pass(VISIBILITY_MS);
    one.items.shift();
    one.fail();
    expect(one.got).toEqual(['a/1', 'a/2', 'a/3', 'b/1']);
    expect(queues.stats()).toMatchObject({ dead: 1, queues: 2 });
    const deadConsumer = addConsumer().watch('$dead:q');
    expect(deadConsumer.got).toEqual(['a/1']);
    deadConsumer.done();
    deadConsumer.consumer.close();
    expect(queues.stats()).toMatchObject({ queues: 1 });
  });

  test('a dead letter that fails stays, and is delivered again only when its lease ends', () => {
    const { queues, enqueue, pass, addConsumer } = start({ attemptsMax: 1 });
    const one = addConsumer().watch('q');
    enqueue('q', 'a');
    one.fail();
    const deadConsumer = addConsumer().watch('$dead:q');
    for (let attempt = 1; attempt <= 9; attempt++) {
      expect(deadConsumer.fail()).toBe(true);
      expect(deadConsumer.got).toHaveLength(attempt);
      pass(VISIBILITY_MS);
    }
    expect(deadConsumer.got.at(-1)).toBe('a/10');
    expect(queues.stats()).toMatchObject({ dead: 1, deadDropped: 0 });
  });

  test('a dead letter that fails, expires or is returned goes to the end and blocks no other', () => {
    const { queues, enqueue, pass, addConsumer } = start({ attemptsMax: 1 });
    const one = addConsumer().watch('q');
    for (const text of ['a', 'b', 'c']) {
      enqueue('q', text);
      one.fail();
    }
    const deadConsumer = addConsumer().watch('$dead:q');
    deadConsumer.fail();
    pass(VISIBILITY_MS);
    expect(deadConsumer.got).toEqual(['a/1', 'b/1']);
    pass(VISIBILITY_MS);
    expect(deadConsumer.got).toEqual(['a/1', 'b/1', 'c/1']);
    deadConsumer.consumer.close();
    const next = addConsumer().watch('$dead:q');
    for (let count = 1; count < 3; count++) next.done();
    expect(next.got).toEqual(['a/2', 'b/2', 'c/2']);
    next.done();
    expect(queues.stats()).toMatchObject({ bytes: 0, leased: 0, waiting: 0 });
  });

  test('a withdrawn dead letter keeps its place in the new order, and a late outcome finds it', () => {
    const { queues, enqueue, pass, addConsumer } = start({ attemptsMax: 1 });
    const one = addConsumer().watch('q');
    for (const text of ['a', 'b', 'c', 'd']) {
      enqueue('q', text);
      one.fail();
    }
    const deadConsumer = addConsumer().watch('$dead:q', 2);
    deadConsumer.consumer.unwatch('$dead:q');
    pass(VISIBILITY_MS);
    const next = addConsumer().watch('$dead:q', 3);
    expect(next.got).toEqual(['c/1', 'd/1', 'a/2']);
    next.consumer.unwatch('$dead:q');
    for (let count = 0; count < 3; count++) expect(next.withdraw()).toBe(true);
    expect(
      deadConsumer.items.map(({ id, attempt }) => deadConsumer.consumer.done('$dead:q', id, attempt)),
    ).toEqual([false, true]);
    expect(addConsumer().watch('$dead:q', 9).got).toEqual(['c/1', 'd/1', 'a/2']);
    expect(queues.stats()).toMatchObject({ done: 1, leased: 3, waiting: 0 });
  });

  test('a full dead-letter queue drops its first items, and counts them', () => {
    const { queues, enqueue, addConsumer } = start({ attemptsMax: 1, itemsMax: 2 });
    const one = addConsumer().watch('q');
    for (const text of ['a', 'b', 'c']) {
      enqueue('q', text);
      one.fail();
    }
    expect(queues.stats()).toMatchObject({ dead: 3, deadDropped: 1 });
    const deadConsumer = addConsumer().watch('$dead:q', 9);
    expect(deadConsumer.got).toEqual(['b/1', 'c/1']);
    // All others are in lease: the new one is dropped.
    enqueue('q', 'd');
    one.fail();
    expect(queues.stats()).toMatchObject({ dead: 4, deadDropped: 2, leased: 2, waiting: 0 });
    expect(queues.stats().bytes).toBe(2 * (ITEM_OVERHEAD_BYTES + 1));
  });
});

test('a dead letter that was dropped cannot be done by its last consumer', () => {
  const { queues, enqueue, pass, addConsumer } = start({ attemptsMax: 1, itemsMax: 1 });
  const one = addConsumer().watch('q');
  enqueue('q', 'a');
  one.fail();
  const deadConsumer = addConsumer().watch('$dead:q');
  deadConsumer.consumer.unwatch('$dead:q');
  pass(VISIBILITY_MS);
  enqueue('q', 'b');
  one.fail();
  expect(queues.stats()).toMatchObject({ dead: 2, deadDropped: 1, waiting: 1 });
  expect(deadConsumer.done()).toBe(false);
  expect(queues.stats()).toMatchObject({ done: 0, waiting: 1, bytes: ITEM_OVERHEAD_BYTES + 1 });
});

describe('limits', () => {
  test('items and bytes of a queue, leased ones included', () => {
    const { queues, errorOf, addConsumer } = start({ itemsMax: 2, bytesMax: 3 * ITEM_OVERHEAD_BYTES });
    const one = addConsumer().watch('q');
    expect([errorOf('q'), errorOf('q'), errorOf('q')]).toEqual([undefined, undefined, 'queue_full']);
    one.done();
    expect(errorOf('q', 'x'.repeat(2 * ITEM_OVERHEAD_BYTES))).toBe('queue_full');
    expect(errorOf('q', 'x'.repeat(ITEM_OVERHEAD_BYTES))).toBe(undefined);
    expect(queues.stats()).toMatchObject({ enqueued: 3, rejected: 2 });
  });

  test.each([
    ['a queue', { bytesMax: 2 * ITEM_OVERHEAD_BYTES }],
    ['all queues', { totalBytesMax: 2 * ITEM_OVERHEAD_BYTES }],
  ])('an item that exceeds the limit of %s is rejected as too long', (_name, limits) => {
    const { queues, errorOf } = start(limits);
    expect(errorOf('q', 'x'.repeat(ITEM_OVERHEAD_BYTES + 1))).toBe('bad_length');
    expect(errorOf('q', 'x'.repeat(ITEM_OVERHEAD_BYTES))).toBe(undefined);
    expect(queues.stats()).toMatchObject({ enqueued: 1, rejected: 1 });
  });

  test('bytes of all queues, and the number of queues', () => {
    const { errorOf, addConsumer } = start({ totalBytesMax: 3 * ITEM_OVERHEAD_BYTES, queuesMax: 2 });
    expect([errorOf('a'), errorOf('b'), errorOf('c'), errorOf('b'), errorOf('b')]).toEqual([
      undefined,
      undefined,
      'queue_full',
      undefined,
      'queue_full',
    ]);
    expect(() => addConsumer().watch('d')).toThrow(expect.objectContaining({ code: 'queue_limit' }));
    const one = addConsumer().watch('a');
    one.done();
    expect(errorOf('b')).toBe(undefined);
    one.consumer.unwatch('a');
    addConsumer().watch('d');
  });

  test('the number of dead-letter queues; beyond it, dead letters are dropped and counted', () => {
    const { queues, enqueue, addConsumer } = start({ attemptsMax: 1, queuesMax: 2 });
    for (const name of ['a', 'b', 'c', 'b']) {
      const one = addConsumer().watch(name);
      enqueue(name, name);
      one.fail();
      one.consumer.close();
    }
    expect(queues.stats()).toMatchObject({ queues: 2, waiting: 3, dead: 4, deadDropped: 1 });
    expect(queues.stats().bytes).toBe(3 * (ITEM_OVERHEAD_BYTES + 1));
    const deadConsumer = addConsumer().watch('$dead:a');
    expect(() => addConsumer().watch('$dead:c')).toThrow(expect.objectContaining({ code: 'queue_limit' }));
    deadConsumer.done();
    deadConsumer.consumer.close();
    addConsumer().watch('$dead:c');
  });

  test('dead-letter queues that are only watched count apart', () => {
    const { queues, errorOf, addConsumer } = start({ queuesMax: 2 });
    const one = addConsumer().watch('$dead:a').watch('$dead:b');
    expect(() => one.watch('$dead:c')).toThrow(expect.objectContaining({ code: 'queue_limit' }));
    expect(queues.stats()).toMatchObject({ queues: 2 });
    // Ordinary queues have a limit of their own.
    expect([errorOf('a'), errorOf('b'), errorOf('c')]).toEqual([undefined, undefined, 'queue_full']);
  });

  test.each(['', 'a\nb', '$dead:q', 'x'.repeat(256)])('an item for the queue %j is rejected', (name) => {
    expect(start().errorOf(name)).toBe('bad_queue');
  });

  test.each(['', 'a\nb', '$dead:', '$dead:$dead:q'])('a watch of the queue %j is rejected', (name) => {
    expect(() => start().addConsumer().watch(name)).toThrow(expect.objectContaining({ code: 'bad_queue' }));
  });

  test('the number of queues that one consumer watches', () => {
    const { addConsumer } = start({ watchesMax: 2 });
    const one = addConsumer().watch('a').watch('b').watch('b');
    expect(() => one.watch('c')).toThrow(expect.objectContaining({ code: 'queue_limit' }));
    one.consumer.unwatch('a');
    one.watch('c');
  });

  test('an empty queue without watches is removed', () => {
    const { queues, enqueue, addConsumer } = start();
    const one = addConsumer().watch('q').watch('other');
    expect(queues.stats()).toMatchObject({ queues: 2 });
    enqueue('q', 'a');
    one.consumer.unwatch('q');
    one.consumer.unwatch('other');
    expect(queues.stats()).toMatchObject({ queues: 1, bytes: ITEM_OVERHEAD_BYTES + 1 });
    one.done();
    expect(queues.stats()).toMatchObject({ queues: 0, bytes: 0 });
  });
});

describe('credit without refill, shared by several queues', () => {
  test('each credit is one item, round-robin over the queues', () => {
    const { enqueue, addConsumer } = start();
    const one = addConsumer();
    const credit = new Credit(false);
    enqueue('q', 'a', 'b', 'c');
    enqueue('other', 'A', 'B');
    one.consumer.watch('q', credit);
    one.consumer.watch('other', credit);
    expect(one.got).toEqual([]);
    for (let reserve = 0; reserve < 5; reserve++) one.consumer.addCredit(credit, 1);
    expect(one.got).toEqual(['a/1', 'A/1', 'b/1', 'B/1', 'c/1']);
  });

  test('is not refilled, and waits for an item', () => {
    const { enqueue, pass, addConsumer } = start();
    const one = addConsumer();
    const credit = new Credit(false);
    one.consumer.watch('q', credit);
    one.consumer.addCredit(credit, 1);
    enqueue('q', 'a', 'b');
    one.done();
    expect(one.got).toEqual(['a/1']);
    one.consumer.addCredit(credit, 1);
    pass(VISIBILITY_MS);
    expect(one.got).toEqual(['a/1', 'b/1']);
  });

  test('at most once: an item is done when it is delivered', () => {
    const { queues, enqueue } = start();
    const one = new TestConsumer(queues, { autoAck: true });
    const credit = new Credit(false);
    one.consumer.watch('q', credit);
    one.consumer.addCredit(credit, 1);
    enqueue('q', 'a', 'b');
    one.consumer.close();
    expect(one.got).toEqual(['a/1']);
    expect(queues.stats()).toMatchObject({ done: 1, leased: 0, waiting: 1 });
  });
});

test('a stopped hub delivers no item and accepts none', () => {
  const { queues, enqueue, errorOf, addConsumer } = start();
  const one = addConsumer().watch('q');
  enqueue('q', 'a', 'b');
  queues.stop();
  one.done();
  expect(one.got).toEqual(['a/1']);
  expect(errorOf('q')).toBe('hub_unavailable');
});

test('rows are the longest queues, with the age of their oldest item', () => {
  const { queues, enqueue, pass, addConsumer } = start();
  enqueue('short', 'a');
  pass(10);
  enqueue('long', 'a', 'b');
  addConsumer().watch('long');
  pass(5);
  expect(queues.rows(1)).toEqual([
    { name: 'long', waiting: 1, leased: 1, bytes: 2 * (ITEM_OVERHEAD_BYTES + 1), oldestMs: 5, watchers: 1 },
  ]);
  expect(queues.stats()).toMatchObject({ queues: 2, waiting: 2, leased: 1, oldestMs: 15 });
});
