import { HubClient } from '@groupcast/hub-client';
import { decodeText } from '@groupcast/protocol';
import { killAll, startHub, type TestHub, until } from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ClientConsumer, type Consumer, PhpConsumer } from './consumers.ts';
import { runPhp, startPhp, withoutPhp } from './start-php.ts';

/** Items to process while consumers are struck; raise it for a long run. */
const ITEMS = Number(process.env['PHP_QUEUE_ITEMS'] ?? 2_000);
/** Items done between two strikes. */
const ITEMS_PER_STRIKE = 100;
const ATTEMPTS_MAX = 3;
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32. */
function randomNumbers(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function untilUnused(hub: TestHub): Promise<unknown> {
  return until(
    async () => (await hub.stats())['queues'] as Record<string, number>,
    'empty queues',
    ({ waiting, leased }) => waiting === 0 && leased === 0,
  );
}

describe.skipIf(withoutPhp)(`queues that PHP and TypeScript share, FUZZ_SEED=${seed}`, () => {
  const clients: HubClient[] = [];
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startHub({ queueAttemptsMax: ATTEMPTS_MAX, queueItemsMax: 100_000 });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(killAll);

  function open(port = hub.port): HubClient {
    const client = new HubClient({ port });
    clients.push(client);
    client.connect();
    return client;
  }

  test('each item is done at least once, and none is stuck, while consumers are killed and cut off', async () => {
    // A struck consumer has tried each item that it had.
    const patient = await startHub({ queueAttemptsMax: 1_000, queueItemsMax: 2 * ITEMS });
    const half = ITEMS / 2;
    const consumers: readonly Consumer[] = [
      new PhpConsumer(patient.port, 'jobs'),
      new PhpConsumer(patient.port, 'jobs'),
      await ClientConsumer.start(patient.port, 'jobs'),
      await ClientConsumer.start(patient.port, 'jobs'),
    ];
    const producer = open(patient.port);
    const enqueued = Promise.all([
      runPhp('produce', patient.port, 'jobs', 'php', half),
      ...Array.from({ length: half }, (_, index) => producer.enqueue('jobs', `ts ${index}`)),
    ]);
    const doneOnce = (): Set<string> => new Set(consumers.flatMap(({ done }) => done));
    const random = randomNumbers(seed);
    for (let target = ITEMS_PER_STRIKE; target < ITEMS; target += ITEMS_PER_STRIKE) {
      await until(() => doneOnce().size >= target, `${target} items`);
      await consumers[Math.floor(random() * consumers.length)]?.strike();
    }
    await enqueued;
    await until(() => doneOnce().size >= ITEMS, 'all items');
    await untilUnused(patient);
    const expected = ['php', 'ts'].flatMap((prefix) =>
      Array.from({ length: half }, (_, index) => `${prefix} ${index}`),
    );
    expect([...doneOnce()].sort()).toEqual(expected.sort());
    for (const { done, failures } of consumers) {
      expect(failures).toEqual([]);
      expect(done.length).toBeGreaterThan(0);
    }
    for (const consumer of consumers) await consumer.close();
  });

  test('a single consumer, of either kind, receives the items in order', async () => {
    const count = 500;
    await runPhp('produce', hub.port, 'to-php', 'item', count);
    await runPhp('produce', hub.port, 'to-ts', 'item', count);
    const expected = Array.from({ length: count }, (_, index) => `item ${index}`);
    const php = new PhpConsumer(hub.port, 'to-php');
    const got: string[] = [];
    open().watch('to-ts', ({ payload }) => {
      got.push(decodeText(payload));
    });
    await until(() => php.done.length + got.length >= 2 * count, 'all items');
    expect(php.done).toEqual(expected);
    expect(got).toEqual(expected);
    await untilUnused(hub);
    expect(php.failures).toEqual([]);
    await php.close();
  });

  test('an item that always fails moves to the dead-letter queue, where PHP receives it', async () => {
    const attempts: number[] = [];
    const client = open();
    client.on('itemFailed', () => {});
    client.watch('hopeless', ({ attempt }) => {
      attempts.push(attempt);
      throw new Error('always');
    });
    await runPhp('produce', hub.port, 'hopeless', 'item', 1);
    const dead = startPhp('consume', hub.port, '$dead:hopeless');
    await dead.waitForLine(/^done item 0$/);
    expect(attempts).toEqual([1, 2, 3]);
  });

  test('a full queue rejects items: a HubClient gets the error, and PHP continues', async () => {
    const small = await startHub({ queueItemsMax: 5 });
    const producer = open(small.port);
    await runPhp('produce', small.port, 'full', 'item', 7);
    await until(
      async () => (await small.stats())['rejected'] as Record<string, number>,
      'two rejections',
      (refused) => refused['queue_full'] === 2,
    );
    await expect(producer.enqueue('full', 'one more')).rejects.toMatchObject({ code: 'queue_full' });
    const consumer = new PhpConsumer(small.port, 'full');
    await until(() => consumer.done.length === 5, 'the items that were taken');
    await untilUnused(small);
    await producer.enqueue('full', 'there is room again');
    await until(() => consumer.done.length === 6, 'the last item');
    expect(consumer.done.at(-1)).toBe('there is room again');
    await consumer.close();
  });
});
