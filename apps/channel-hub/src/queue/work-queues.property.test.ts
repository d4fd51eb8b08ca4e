import { encodeText } from '@groupcast/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestConsumer } from '../../testing/test-consumer.ts';
import type { ItemDelivery } from './work-queue.ts';
import { WorkQueues } from './work-queues.ts';

const VISIBILITY_MS = 100;
const ITEMS_MAX = 6;
const QUEUES = ['a', 'b'];

const queue = fc.constantFrom(...QUEUES);
const which = fc.nat(9);
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('enqueue' as const), queue, which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('watch' as const), queue, which }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('done' as const, 'fail' as const, 'withdraw' as const),
      queue,
      which,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('unwatch' as const, 'leave' as const, 'pass' as const),
      queue,
      which,
    }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer One> ? One : never;

/** Queues under random operations, with the invariants that must hold. */
class Model {
  nowMs = 0;
  readonly queues: WorkQueues;
  readonly accepted: string[] = [];
  readonly finished: string[] = [];
  #consumers: TestConsumer[] = [];

  constructor(attemptsMax: number) {
    const limits = { visibilityMs: VISIBILITY_MS, itemsMax: ITEMS_MAX, attemptsMax };
    this.queues = new WorkQueues(limits, () => this.nowMs);
  }

  run({ do: what, queue: name, which: index }: Operation): void {
    const consumer = this.#consumers[index % Math.max(1, this.#consumers.length)];
    if (what === 'enqueue') this.#enqueue(name);
    else if (what === 'watch')
      this.#consumers.push(new TestConsumer(this.queues).watch(name, 1 + (index % 3)));
    else if (what === 'pass') this.#pass(index * 20);
    else if (consumer === undefined) return;
    else if (what === 'unwatch') consumer.consumer.unwatch(name);
    else if (what === 'leave') this.#leave(consumer);
    else if (consumer.items.length > 0) this.#report(consumer, what, index);
  }

  check(): void {
    const stats = this.queues.stats();
    expect(stats.waiting + stats.leased + this.finished.length + stats.deadDropped).toBe(
      this.accepted.length,
    );
    for (const row of this.queues.rows(99)) {
      expect(row.waiting + row.leased).toBeLessThanOrEqual(ITEMS_MAX);
      expect(row.waiting + row.leased + row.watchers).toBeGreaterThan(0);
      // No item is stuck: while one waits, no consumer that watches has credit.
      if (row.waiting > 0) expect(this.#hasCredit(row.name)).toBe(false);
    }
  }

  /** Closes all consumers, and returns the texts of all remaining items. */
  drain(): string[] {
    for (const consumer of [...this.#consumers]) this.#leave(consumer);
    const drained = QUEUES.flatMap((name) => [name, `$dead:${name}`]).flatMap((name) => {
      const last = new TestConsumer(this.queues).watch(name, ITEMS_MAX);
      const texts = last.items.map(({ payload }) => Buffer.from(payload).toString());
      while (last.items.length > 0) last.done();
      last.consumer.close();
      return texts;
    });
    expect(this.queues.stats()).toMatchObject({ queues: 0, waiting: 0, leased: 0, bytes: 0 });
    return drained;
  }

  #enqueue(name: string): void {
    const text = `${name}${this.accepted.length}`;
    const depth = this.queues.rows(99).find((row) => row.name === name);
    const error = this.queues.enqueue(name, 'text', encodeText(text));
    if (error === undefined) this.accepted.push(text);
    else expect((depth?.waiting ?? 0) + (depth?.leased ?? 0)).toBe(ITEMS_MAX);
  }

  #pass(ms: number): void {
    this.nowMs += ms;
    this.queues.tick();
  }

  #leave(consumer: TestConsumer): void {
    this.#consumers = this.#consumers.filter((one) => one !== consumer);
    consumer.consumer.close();
  }

  #report(consumer: TestConsumer, what: 'done' | 'fail' | 'withdraw', index: number): void {
    const [item] = consumer.items.splice(index % consumer.items.length, 1);
    if (item === undefined) return;
    if (what === 'fail') consumer.consumer.failed(item.queue, item.id, item.attempt);
    else if (what === 'withdraw') this.#withdraw(consumer, item);
    else if (consumer.consumer.done(item.queue, item.id, item.attempt)) {
      this.finished.push(Buffer.from(item.payload).toString());
    }
  }

  #withdraw({ consumer }: TestConsumer, { queue: name, id, attempt }: ItemDelivery): void {
    // Otherwise the item returns to the same consumer at once, and outcomes end that lease.
    consumer.unwatch(name);
    const before = this.queues.stats();
    const isWithdrawn = consumer.withdraw(name, id, attempt);
    const { failed, expired, dead, done } = this.queues.stats();
    expect({ failed, expired, dead, done }).toEqual({
      failed: before.failed,
      expired: before.expired,
      dead: before.dead,
      done: before.done,
    });
    if (!isWithdrawn) return;
    for (const report of ['done', 'failed', 'withdraw'] as const) {
      expect(consumer[report](name, id, attempt)).toBe(false);
    }
  }

  #hasCredit(name: string): boolean {
    return this.#consumers.some((one) => (one.consumer.watches.get(name)?.credit.count ?? 0) > 0);
  }
}

test('no item is lost, done twice or stuck, and no queue exceeds its limits', () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 120 }),
      fc.integer({ min: 1, max: 4 }),
      (operations, attemptsMax) => {
        const model = new Model(attemptsMax);
        for (const one of operations) {
          model.run(one);
          model.check();
        }
        const { deadDropped } = model.queues.stats();
        const everything = [...model.finished, ...model.drain()];
        expect(new Set(everything).size).toBe(everything.length);
        expect(everything.length + model.queues.stats().deadDropped).toBe(model.accepted.length);
        if (model.queues.stats().deadDropped === 0) expect(everything.sort()).toEqual(model.accepted.sort());
        expect(model.queues.stats().deadDropped).toBeGreaterThanOrEqual(deadDropped);
      },
    ),
  );
});

test('a single consumer of one item at a time finishes all items in their order', () => {
  const step = fc.constantFrom('enqueue', 'done', 'fail', 'withdraw', 'pass', 'leave');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let nowMs = 0;
      const queues = new WorkQueues({ visibilityMs: VISIBILITY_MS, attemptsMax: 1_000 }, () => nowMs);
      const finished: string[] = [];
      let enqueued = 0;
      let one = new TestConsumer(queues).watch('q');
      const finish = (): void => {
        const item = one.items.at(-1);
        if (item !== undefined && one.consumer.done('q', item.id, item.attempt)) {
          finished.push(Buffer.from(item.payload).toString());
        }
      };
      for (const what of steps) {
        if (what === 'enqueue') queues.enqueue('q', 'text', encodeText(String(enqueued++)));
        else if (what === 'done') finish();
        else if (what === 'fail' && one.items.length > 0) one.fail();
        else if (what === 'withdraw' && one.items.length > 0) one.withdraw();
        else if (what === 'pass') nowMs += VISIBILITY_MS;
        else if (what === 'leave') {
          one.consumer.close();
          one = new TestConsumer(queues).watch('q');
        }
        queues.tick();
      }
      for (let left = enqueued - finished.length; left > 0; left--) finish();
      expect(finished).toEqual(Array.from({ length: enqueued }, (_, index) => String(index)));
    }),
  );
});
