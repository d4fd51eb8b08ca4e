import { encodeText, type ProtocolError } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { TestConsumer } from '../../testing/test-consumer.ts';
import { Credit } from './credit.ts';
import { ITEM_OVERHEAD_BYTES, type QueueLimits } from './queue-limits.ts';
import { WorkQueues } from './work-queues.ts';

const VISIBILITY_MS = 1_000;

function start(limits: Partial<QueueLimits> = {}) {
  let nowMs = 0;
  const queues = new WorkQueues({ visibilityMs: VISIBILITY_MS, ...limits }, () => nowMs);
  /** The error that one more item is refused with. */
  const refusal = (queue: string, text = ''): ProtocolError['code'] | undefined =>
    queues.enqueue(queue, 'text', encodeText(text))?.code;
  const enqueue = (queue: string, ...texts: string[]): void => {
    for (const text of texts) expect(refusal(queue, text)).toBeUndefined();
  };
  const pass = (ms: number): void => {
    nowMs += ms;
    queues.tick();
  };
  const join = (): TestConsumer => new TestConsumer(queues);
  return { queues, enqueue, refusal, pass, join };
}

describe('handing out', () => {
  test('in the order in which items came, as many at a time as the consumer wants', () => {
    const { enqueue, join } = start();
    enqueue('q', 'a', 'b', 'c', 'd');
    const one = join().watch('q', 2);
    expect(one.got).toEqual(['a/1', 'b/1']);
    one.done();
    expect(one.got).toEqual(['a/1', 'b/1', 'c/1']);
    one.done();
    one.done();
    one.done();
    enqueue('q', 'e');
    expect(one.got).toEqual(['a/1', 'b/1', 'c/1', 'd/1', 'e/1']);
  });

  test('goes round between consumers with credit, and an item in lease holds up nobody else', () => {
    const { enqueue, join } = start();
    const [one, two, three] = [join().watch('q', 9), join().watch('q', 9), join().watch('q', 1)];
    enqueue('q', 'a', 'b', 'c', 'd', 'e');
    expect([one.got, two.got, three.got]).toEqual([['a/1', 'd/1'], ['b/1', 'e/1'], ['c/1']]);
  });

  test('queues of other names have nothing to do with each other', () => {
    const { enqueue, join } = start();
    enqueue('__proto__', 'a');
    enqueue('q', 'b');
    expect(join().watch('__proto__').got).toEqual(['a/1']);
  });

  test('the payload is a copy of what was read', () => {
    const { queues, join } = start();
    const read = Buffer.from('a');
    queues.enqueue('q', 'json', read);
    read[0] = 0;
    expect(join().watch('q').items).toEqual([
      { queue: 'q', id: 1, attempt: 1, kind: 'json', payload: encodeText('a') },
    ]);
  });

  test('a consumer has no more bytes in lease than it may, but always one item', () => {
    const { enqueue, join } = start({ leasedBytesMax: 2 * ITEM_OVERHEAD_BYTES + 2 });
    const one = join().watch('q', 9).watch('other', 9);
    enqueue('q', 'x'.repeat(9_999), 'a');
    enqueue('other', 'b', 'c');
    expect(one.got).toHaveLength(1);
    one.done();
    expect(one.got.slice(1)).toEqual(['a/1', 'b/1']);
    one.done();
    expect(one.got.slice(3)).toEqual(['c/1']);
  });
});

describe('what was not done', () => {
  test('a failed item comes again before all that came later', () => {
    const { enqueue, join } = start();
    const one = join().watch('q');
    enqueue('q', 'a', 'b');
    one.fail();
    one.done();
    one.done();
    expect(one.got).toEqual(['a/1', 'a/2', 'b/1']);
  });

  test('items come back in their old order, whatever the order in which they fail', () => {
    const { enqueue, join } = start();
    const one = join().watch('q', 3);
    enqueue('q', 'a', 'b', 'c', 'd');
    const [a, b, c] = one.items;
    one.consumer.unwatch('q');
    for (const item of [b!, c!, a!]) one.consumer.failed('q', item.id, 1);
    expect(join().watch('q', 9).got).toEqual(['a/2', 'b/2', 'c/2', 'd/1']);
  });

  test('a lease ends after its time, and no sooner', () => {
    const { queues, enqueue, pass, join } = start();
    const one = join().watch('q');
    enqueue('q', 'a');
    pass(VISIBILITY_MS - 1);
    expect(one.got).toEqual(['a/1']);
    pass(1);
    expect(one.got).toEqual(['a/1', 'a/2']);
    expect(queues.stats()).toMatchObject({ expired: 1, redelivered: 1, leased: 1, waiting: 0 });
  });

  test('a consumer that leaves gives back all it has, at once', () => {
    const { queues, enqueue, join } = start();
    const [one, two] = [join().watch('q', 2), join()];
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

  test('consumers that leave when they are handed something: the next one gets it', () => {
    const { enqueue, join } = start({ attemptsMax: 9_999 });
    // More than the stack is deep.
    const leaving = Array.from({ length: 5_000 }, () => join());
    for (const one of leaving) one.onDelivery = () => one.consumer.close();
    for (const one of leaving) one.watch('q');
    const last = join().watch('q');
    enqueue('q', 'a');
    expect(last.got).toEqual(['a/5001']);
  });
});

describe('an answer to an attempt that is over', () => {
  test('done: counts as long as the item was not handed out again', () => {
    const { queues, enqueue, pass, join } = start();
    const one = join().watch('q');
    enqueue('q', 'a');
    one.consumer.unwatch('q');
    pass(VISIBILITY_MS);
    expect(queues.stats()).toMatchObject({ waiting: 1 });
    expect(one.done()).toBe(true);
    expect(queues.stats()).toMatchObject({ waiting: 0, bytes: 0, queues: 0, done: 1 });
  });

  test('done: takes nothing from the consumer that has the item now, not even from itself', () => {
    const { queues, enqueue, pass, join } = start();
    const one = join().watch('q');
    enqueue('q', 'a');
    pass(VISIBILITY_MS);
    expect(one.got).toEqual(['a/1', 'a/2']);
    expect(one.done()).toBe(false);
    expect(queues.stats()).toMatchObject({ leased: 1, done: 0 });
    expect(one.done()).toBe(true);
    expect(queues.stats()).toMatchObject({ leased: 0, done: 1 });
  });

  test('failed: is nothing', () => {
    const { queues, enqueue, pass, join } = start();
    const one = join().watch('q');
    enqueue('q', 'a');
    one.consumer.unwatch('q');
    pass(VISIBILITY_MS);
    expect(one.fail()).toBe(false);
    expect(queues.stats()).toMatchObject({ failed: 0, waiting: 1 });
  });

  test('nobody ends the lease of another consumer, or of an item that is not there', () => {
    const { queues, enqueue, join } = start();
    const [one, two] = [join().watch('q'), join()];
    enqueue('q', 'a');
    for (const answer of ['done', 'failed'] as const) {
      expect(two.consumer[answer]('q', 1, 1)).toBe(false);
      expect(one.consumer[answer]('q', 2, 1)).toBe(false);
      expect(one.consumer[answer]('other', 1, 1)).toBe(false);
    }
    expect(queues.stats()).toMatchObject({ leased: 1 });
  });
});

describe('what was handed out and never left', () => {
  test('goes back to its place, and that attempt was none', () => {
    const { queues, enqueue, join } = start({ attemptsMax: 1 });
    const one = join().watch('q', 2);
    enqueue('q', 'a', 'b', 'c');
    one.consumer.unwatch('q');
    expect(one.withdraw()).toBe(true);
    expect(queues.stats()).toMatchObject({ waiting: 2, leased: 1 });
    const two = join().watch('q', 9);
    expect(two.got).toEqual(['a/1', 'c/1']);
    one.withdraw();
    expect(two.got).toEqual(['a/1', 'c/1', 'b/1']);
    expect(queues.stats()).toMatchObject({ failed: 0, expired: 0, redelivered: 0, dead: 0, done: 0 });
  });

  test('is counted as handed out again once, however often that did not leave', () => {
    const { queues, enqueue, join } = start();
    const one = join().watch('q');
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

  test('no answer ends it, not even one to an attempt before', () => {
    const { queues, enqueue, pass, join } = start();
    const one = join().watch('q');
    enqueue('q', 'a');
    pass(VISIBILITY_MS);
    one.consumer.unwatch('q');
    expect(one.consumer.withdraw('q', 1, 1)).toBe(false);
    expect(one.consumer.withdraw('q', 1, 2)).toBe(true);
    const answerAll = (): boolean[] =>
      [0, 1, 2, 3].flatMap((attempt) => [
        one.consumer.done('q', 1, attempt),
        one.consumer.failed('q', 1, attempt),
        one.consumer.withdraw('q', 1, attempt),
      ]);
    expect(answerAll()).not.toContain(true);
    const two = join().watch('q');
    expect(two.got).toEqual(['a/2']);
    expect(answerAll()).not.toContain(true);
    expect(two.done()).toBe(true);
    expect(queues.stats()).toMatchObject({ queues: 1, bytes: 0, done: 1, failed: 0 });
  });

  test('an item that was never seen cannot be done by its number', () => {
    const { queues, enqueue, join } = start();
    const one = join().watch('q');
    enqueue('q', 'a');
    one.consumer.unwatch('q');
    one.withdraw();
    expect(one.consumer.done('q', 1, 0)).toBe(false);
    expect(queues.stats()).toMatchObject({ waiting: 1, done: 0 });
  });

  test('nobody gives back what is in lease elsewhere', () => {
    const { enqueue, join } = start();
    const [, two] = [join().watch('q'), join()];
    enqueue('q', 'a');
    expect(two.consumer.withdraw('q', 1, 1)).toBe(false);
  });

  test('at most once: there is nothing to give back', () => {
    const { queues, enqueue } = start();
    const one = new TestConsumer(queues, { autoAck: true }).watch('q');
    enqueue('q', 'a');
    expect(one.withdraw()).toBe(false);
    expect(queues.stats()).toMatchObject({ done: 1, waiting: 0, queues: 1 });
  });
});

describe('dead letters', () => {
  test('an item that was handed out often enough goes to the dead-letter queue, as a new one there', () => {
    const { queues, enqueue, pass, join } = start({ attemptsMax: 3 });
    const one = join().watch('q');
    enqueue('q', 'a', 'b');
    one.fail();
    pass(VISIBILITY_MS);
    one.items.shift();
    one.fail();
    expect(one.got).toEqual(['a/1', 'a/2', 'a/3', 'b/1']);
    expect(queues.stats()).toMatchObject({ dead: 1, queues: 2 });
    const undertaker = join().watch('$dead:q');
    expect(undertaker.got).toEqual(['a/1']);
    undertaker.done();
    undertaker.consumer.close();
    expect(queues.stats()).toMatchObject({ queues: 1 });
  });

  test('fail in the dead-letter queue: the item stays there, and comes again only when its lease ends', () => {
    const { queues, enqueue, pass, join } = start({ attemptsMax: 1 });
    const one = join().watch('q');
    enqueue('q', 'a');
    one.fail();
    const undertaker = join().watch('$dead:q');
    for (let attempt = 1; attempt <= 9; attempt++) {
      expect(undertaker.fail()).toBe(true);
      expect(undertaker.got).toHaveLength(attempt);
      pass(VISIBILITY_MS);
    }
    expect(undertaker.got.at(-1)).toBe('a/10');
    expect(queues.stats()).toMatchObject({ dead: 1, deadDropped: 0 });
  });

  test('what fails, expires or is left in the dead-letter queue goes to its end: it holds up no other', () => {
    const { queues, enqueue, pass, join } = start({ attemptsMax: 1 });
    const one = join().watch('q');
    for (const text of ['a', 'b', 'c']) {
      enqueue('q', text);
      one.fail();
    }
    const undertaker = join().watch('$dead:q');
    undertaker.fail();
    pass(VISIBILITY_MS);
    expect(undertaker.got).toEqual(['a/1', 'b/1']);
    pass(VISIBILITY_MS);
    expect(undertaker.got).toEqual(['a/1', 'b/1', 'c/1']);
    undertaker.consumer.close();
    const next = join().watch('$dead:q');
    for (let count = 1; count < 3; count++) next.done();
    expect(next.got).toEqual(['a/2', 'b/2', 'c/2']);
    next.done();
    expect(queues.stats()).toMatchObject({ bytes: 0, leased: 0, waiting: 0 });
  });

  test('what never left has its place in the new order there, and a late answer finds it', () => {
    const { queues, enqueue, pass, join } = start({ attemptsMax: 1 });
    const one = join().watch('q');
    for (const text of ['a', 'b', 'c', 'd']) {
      enqueue('q', text);
      one.fail();
    }
    const undertaker = join().watch('$dead:q', 2);
    undertaker.consumer.unwatch('$dead:q');
    pass(VISIBILITY_MS);
    const next = join().watch('$dead:q', 3);
    expect(next.got).toEqual(['c/1', 'd/1', 'a/2']);
    next.consumer.unwatch('$dead:q');
    for (let count = 0; count < 3; count++) expect(next.withdraw()).toBe(true);
    expect(
      undertaker.items.map(({ id, attempt }) => undertaker.consumer.done('$dead:q', id, attempt)),
    ).toEqual([false, true]);
    expect(join().watch('$dead:q', 9).got).toEqual(['c/1', 'd/1', 'a/2']);
    expect(queues.stats()).toMatchObject({ done: 1, leased: 3, waiting: 0 });
  });

  test('the first of them go when there is no room, and are counted', () => {
    const { queues, enqueue, join } = start({ attemptsMax: 1, itemsMax: 2 });
    const one = join().watch('q');
    for (const text of ['a', 'b', 'c']) {
      enqueue('q', text);
      one.fail();
    }
    expect(queues.stats()).toMatchObject({ dead: 3, deadDropped: 1 });
    const undertaker = join().watch('$dead:q', 9);
    expect(undertaker.got).toEqual(['b/1', 'c/1']);
    // All that are there are in somebody's hands: it is the new one that goes.
    enqueue('q', 'd');
    one.fail();
    expect(queues.stats()).toMatchObject({ dead: 4, deadDropped: 2, leased: 2, waiting: 0 });
    expect(queues.stats().bytes).toBe(2 * (ITEM_OVERHEAD_BYTES + 1));
  });
});

test('a dead item that was dropped is not there any more for whoever had it', () => {
  const { queues, enqueue, pass, join } = start({ attemptsMax: 1, itemsMax: 1 });
  const one = join().watch('q');
  enqueue('q', 'a');
  one.fail();
  const undertaker = join().watch('$dead:q');
  undertaker.consumer.unwatch('$dead:q');
  pass(VISIBILITY_MS);
  enqueue('q', 'b');
  one.fail();
  expect(queues.stats()).toMatchObject({ dead: 2, deadDropped: 1, waiting: 1 });
  expect(undertaker.done()).toBe(false);
  expect(queues.stats()).toMatchObject({ done: 0, waiting: 1, bytes: ITEM_OVERHEAD_BYTES + 1 });
});

describe('bounds', () => {
  test('items and bytes of a queue, those in lease counted', () => {
    const { queues, refusal, join } = start({ itemsMax: 2, bytesMax: 3 * ITEM_OVERHEAD_BYTES });
    const one = join().watch('q');
    expect([refusal('q'), refusal('q'), refusal('q')]).toEqual([undefined, undefined, 'queue_full']);
    one.done();
    expect(refusal('q', 'x'.repeat(2 * ITEM_OVERHEAD_BYTES))).toBe('queue_full');
    expect(refusal('q', 'x'.repeat(ITEM_OVERHEAD_BYTES))).toBe(undefined);
    expect(queues.stats()).toMatchObject({ enqueued: 3, refused: 2 });
  });

  test.each([
    ['a queue', { bytesMax: 2 * ITEM_OVERHEAD_BYTES }],
    ['all queues', { totalBytesMax: 2 * ITEM_OVERHEAD_BYTES }],
  ])('an item that %s never has room for is refused for good', (_name, limits) => {
    const { queues, refusal } = start(limits);
    expect(refusal('q', 'x'.repeat(ITEM_OVERHEAD_BYTES + 1))).toBe('bad_length');
    expect(refusal('q', 'x'.repeat(ITEM_OVERHEAD_BYTES))).toBe(undefined);
    expect(queues.stats()).toMatchObject({ enqueued: 1, refused: 1 });
  });

  test('bytes of all queues, and the number of queues', () => {
    const { refusal, join } = start({ totalBytesMax: 3 * ITEM_OVERHEAD_BYTES, queuesMax: 2 });
    expect([refusal('a'), refusal('b'), refusal('c'), refusal('b'), refusal('b')]).toEqual([
      undefined,
      undefined,
      'queue_full',
      undefined,
      'queue_full',
    ]);
    expect(() => join().watch('d')).toThrow(expect.objectContaining({ code: 'queue_limit' }));
    const one = join().watch('a');
    one.done();
    expect(refusal('b')).toBe(undefined);
    one.consumer.unwatch('a');
    join().watch('d');
  });

  test('the number of dead-letter queues: what has no place there is dropped, and counted', () => {
    const { queues, enqueue, join } = start({ attemptsMax: 1, queuesMax: 2 });
    for (const name of ['a', 'b', 'c', 'b']) {
      const one = join().watch(name);
      enqueue(name, name);
      one.fail();
      one.consumer.close();
    }
    expect(queues.stats()).toMatchObject({ queues: 2, waiting: 3, dead: 4, deadDropped: 1 });
    expect(queues.stats().bytes).toBe(3 * (ITEM_OVERHEAD_BYTES + 1));
    const undertaker = join().watch('$dead:a');
    expect(() => join().watch('$dead:c')).toThrow(expect.objectContaining({ code: 'queue_limit' }));
    undertaker.done();
    undertaker.consumer.close();
    join().watch('$dead:c');
  });

  test('dead-letter queues that are only watched', () => {
    const { queues, refusal, join } = start({ queuesMax: 2 });
    const one = join().watch('$dead:a').watch('$dead:b');
    expect(() => one.watch('$dead:c')).toThrow(expect.objectContaining({ code: 'queue_limit' }));
    expect(queues.stats()).toMatchObject({ queues: 2 });
    // They take no room from the others.
    expect([refusal('a'), refusal('b'), refusal('c')]).toEqual([undefined, undefined, 'queue_full']);
  });

  test.each(['', 'a\nb', '$dead:q', 'x'.repeat(256)])('%j takes nothing', (name) => {
    expect(start().refusal(name)).toBe('bad_queue');
  });

  test.each(['', 'a\nb', '$dead:', '$dead:$dead:q'])('%j cannot be watched', (name) => {
    expect(() => start().join().watch(name)).toThrow(expect.objectContaining({ code: 'bad_queue' }));
  });

  test('queues of one consumer', () => {
    const { join } = start({ watchesMax: 2 });
    const one = join().watch('a').watch('b').watch('b');
    expect(() => one.watch('c')).toThrow(expect.objectContaining({ code: 'queue_limit' }));
    one.consumer.unwatch('a');
    one.watch('c');
  });

  test('an empty queue that nobody watches leaves nothing behind', () => {
    const { queues, enqueue, join } = start();
    const one = join().watch('q').watch('other');
    expect(queues.stats()).toMatchObject({ queues: 2 });
    enqueue('q', 'a');
    one.consumer.unwatch('q');
    one.consumer.unwatch('other');
    expect(queues.stats()).toMatchObject({ queues: 1, bytes: ITEM_OVERHEAD_BYTES + 1 });
    one.done();
    expect(queues.stats()).toMatchObject({ queues: 0, bytes: 0 });
  });
});

describe('credit by hand, shared by several queues', () => {
  test('each credit is one item, of each queue in turn', () => {
    const { enqueue, join } = start();
    const one = join();
    const credit = new Credit(false);
    enqueue('q', 'a', 'b', 'c');
    enqueue('other', 'A', 'B');
    one.consumer.watch('q', credit);
    one.consumer.watch('other', credit);
    expect(one.got).toEqual([]);
    for (let reserve = 0; reserve < 5; reserve++) one.consumer.addCredit(credit, 1);
    expect(one.got).toEqual(['a/1', 'A/1', 'b/1', 'B/1', 'c/1']);
  });

  test('does not come back by itself, and waits for an item where there is none', () => {
    const { enqueue, pass, join } = start();
    const one = join();
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

  test('at most once: what is handed out is done', () => {
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

test('a hub that is about to end hands out nothing, and takes nothing', () => {
  const { queues, enqueue, refusal, join } = start();
  const one = join().watch('q');
  enqueue('q', 'a', 'b');
  queues.stop();
  one.done();
  expect(one.got).toEqual(['a/1']);
  expect(refusal('q')).toBe('hub_unavailable');
});

test('the longest queues, and how long their oldest item has waited', () => {
  const { queues, enqueue, pass, join } = start();
  enqueue('short', 'a');
  pass(10);
  enqueue('long', 'a', 'b');
  join().watch('long');
  pass(5);
  expect(queues.rows(1)).toEqual([
    { name: 'long', waiting: 1, leased: 1, bytes: 2 * (ITEM_OVERHEAD_BYTES + 1), oldestMs: 5, watchers: 1 },
  ]);
  expect(queues.stats()).toMatchObject({ queues: 2, waiting: 2, leased: 1, oldestMs: 15 });
});
