import { HubClient, type QueueItem } from '@groupcast/hub-client';
import { decodeText } from '@groupcast/protocol';
import { killAll, startHub, TcpProxy, type TestHub, until } from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

const VISIBILITY_SECONDS = 1;

let hub: TestHub;
const clients: HubClient[] = [];

beforeAll(async () => {
  hub = await startHub({ queueVisibilitySeconds: VISIBILITY_SECONDS, queueAttemptsMax: 1_000 });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(killAll);

function open(port = hub.port): HubClient {
  const client = new HubClient({ port, reconnect: { minMs: 1, maxMs: 20 } });
  clients.push(client);
  client.connect();
  return client;
}

/** Items that the consumers of a test have finished, with their counts. */
class Finished {
  readonly #times = new Map<string, number>();

  get size(): number {
    return this.#times.size;
  }

  add(item: QueueItem): void {
    const text = decodeText(item.payload);
    this.#times.set(text, (this.#times.get(text) ?? 0) + 1);
  }
}

test('all work is done at least once, though consumers fail, die and are cut off', async () => {
  const count = 2_000;
  const proxies = await Promise.all([1, 2].map(() => TcpProxy.start({ target: hub.port })));
  const finished = new Finished();
  let failures = 0;
  const work = async (item: QueueItem): Promise<void> => {
    await new Promise(setImmediate);
    if (Math.random() < 0.1) throw new Error('a tenth fails');
    finished.add(item);
  };
  const consumer = (port?: number): HubClient => {
    const client = open(port);
    client.on('itemFailed', () => {
      failures += 1;
    });
    client.watch('jobs', work, { concurrency: 20 });
    return client;
  };
  for (const proxy of proxies) consumer(proxy.port);
  const mortal = consumer();
  // This one takes items and never ends one.
  open().watch('jobs', () => new Promise(() => {}), { concurrency: 3 });
  const producer = open();
  const jobs = Array.from({ length: count }, (_, index) => producer.enqueue('jobs', `job ${index}`));
  await until(
    () => finished.size,
    'some work',
    (size) => size > count / 10,
  );
  mortal.close();
  for (const proxy of proxies) proxy.cut();
  await Promise.all(jobs);
  await until(
    () => finished.size,
    'all work',
    (size) => size === count,
  );
  expect(failures).toBeGreaterThan(0);
  for (const proxy of proxies) await proxy.close();
});

test('a restarted hub has no items, and all peers continue with it', async () => {
  const got: string[] = [];
  const consumer = open();
  const producer = open();
  await producer.enqueue('waiting', 'from the first life');
  await hub.kill();
  const held = producer.enqueue('waiting', 'from the second life');
  consumer.watch('waiting', (item) => {
    got.push(decodeText(item.payload));
  });
  hub = await startHub({ port: hub.port });
  await held;
  await until(
    () => got,
    'the item',
    (texts) => texts.length > 0,
  );
  expect(got).toEqual(['from the second life']);
});
