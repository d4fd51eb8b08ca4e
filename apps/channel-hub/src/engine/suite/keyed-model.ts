import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Harness } from '../../../testing/engine-harness.ts';
import type { Engine } from '../engine.ts';
import { KeyedReader } from './keyed-reader.ts';

const CHANNELS = ['a', 'b'] as const;
const KEYS = ['k', 'l', 'm', 'n', '\n', 'é'];
const READERS = 4;
const VALUES_MAX = 5;

const channel = fc.constantFrom(...CHANNELS);
const key = fc.constantFrom(...KEYS);
const reader = fc.nat(READERS - 1);
const lifeMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_500 }));
/** Long values make a snapshot have several pages. */
const bytes = fc.oneof(fc.constant(1), fc.constantFrom(20_000, 70_000));

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), channel, key, lifeMs, bytes }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), channel, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('publish' as const), channel }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(900) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('come' as const), reader }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('read' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('go' as const), reader }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

interface ModelValue {
  readonly text: string;
  readonly untilMs: number;
}

/** The values as they must be, and an engine with readers. */
class Rig {
  readonly engine: Harness;
  readonly readers = Array.from({ length: READERS }, (_, index) => new KeyedReader(channelOf(index)));
  snapshotPages = 0;
  rejected = 0;
  readonly #values = new Map<string, Map<string, ModelValue>>(CHANNELS.map((name) => [name, new Map()]));
  #texts = 0;
  #delivered = 0;

  constructor(engine: Engine) {
    this.engine = new Harness(engine);
  }

  /** Returns the values of a channel that have not expired. */
  valuesOf(name: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const [one, { text, untilMs }] of this.#values.get(name) ?? []) {
      if (untilMs > performance.now()) found.set(one, text);
    }
    return found;
  }

  async run(one: Step): Promise<void> {
    if (one.do === 'set') await this.#set(one);
    else if (one.do === 'remove') {
      await this.engine.publish(one.channel, '', { keyed: { key: one.key, lifeMs: 0 } });
      this.#values.get(one.channel)?.delete(one.key);
    } else if (one.do === 'publish') await this.engine.publish(one.channel, 'no key');
    else if (one.do === 'wait') vi.advanceTimersByTime(one.ms);
    else if (one.do === 'come') await this.#come(this.#reader(one.reader));
    else if (one.do === 'read') await this.read(this.#reader(one.reader));
    else if (one.do === 'go') await this.#go(this.#reader(one.reader));
    this.#deliver();
  }

  /** Lets a reader read its next page, if it needs one. */
  async read(one: KeyedReader): Promise<void> {
    const query = one.query();
    if (query === undefined) return;
    const page = await this.engine.history(one.channel, query.since, query);
    // Deliveries precede the page whose position has them.
    this.#deliver();
    if (page.verdict === 'snapshot') this.snapshotPages += 1;
    one.readPage(page);
  }

  /** Lets every reader read until it is live. */
  async finish(): Promise<void> {
    for (const one of this.readers) {
      await this.#come(one);
      while (one.query() !== undefined) await this.read(one);
    }
  }

  #reader(index: number): KeyedReader {
    return this.readers[index] as KeyedReader;
  }

  async #set(one: Extract<Step, { do: 'set' }>): Promise<void> {
    const values = this.#values.get(one.channel);
    const text = `${this.#texts++}`.padEnd(one.bytes, '.');
    const counts = CHANNELS.map((name) => this.valuesOf(name).size);
    const isFull = counts.reduce((sum, count) => sum + count, 0) >= VALUES_MAX;
    const isRejected = isFull && !this.valuesOf(one.channel).has(one.key);
    const keyed = { key: one.key, lifeMs: one.lifeMs };
    const outcome = await this.engine.publish(one.channel, text, { keyed }).catch((error) => error.code);
    expect(outcome).toEqual(
      isRejected ? 'keys_full' : expect.objectContaining({ offset: expect.any(Number) }),
    );
    if (isRejected) this.rejected += 1;
    else
      values?.set(one.key, {
        text: text.slice(0, 8),
        untilMs: one.lifeMs === 0 ? Infinity : performance.now() + one.lifeMs,
      });
  }

  async #come(one: KeyedReader): Promise<void> {
    const isFirst = !this.#isRead(one.channel);
    one.come();
    if (isFirst) await this.engine.subscribe({ name: one.channel, prefix: false });
  }

  async #go(one: KeyedReader): Promise<void> {
    one.go();
    if (!this.#isRead(one.channel)) await this.engine.unsubscribe({ name: one.channel, prefix: false });
  }

  #isRead(name: string): boolean {
    return this.readers.some((one) => one.channel === name && one.isThere);
  }

  /** Gives the readers what the engine delivered since the last call. */
  #deliver(): void {
    for (const { channel: name, frame } of this.engine.deliveries.slice(this.#delivered)) {
      for (const one of this.readers) if (one.channel === name) one.deliver(frame);
    }
    this.#delivered = this.engine.deliveries.length;
  }
}

function channelOf(index: number): string {
  return CHANNELS[index % CHANNELS.length] as string;
}

/** Every reader that applies deliveries and pages in order has the values of a model at the end. */
export function keyedModelTests(createEngine: (valuesMax: number) => Engine): void {
  test('readers that come and go end with the values of a model', async () => {
    let snapshotPages = 0;
    let rejected = 0;
    let recoveries = 0;
    const run = async (steps: readonly Step[]): Promise<void> => {
      const rig = new Rig(createEngine(VALUES_MAX));
      await rig.engine.start();
      try {
        for (const one of steps) await rig.run(one);
        await rig.finish();
        // A value that has expired is in a page of history with the shortest life.
        vi.advanceTimersByTime(1);
        for (const one of rig.readers) expect(one.values()).toEqual(rig.valuesOf(one.channel));
      } finally {
        await rig.engine.close();
      }
      snapshotPages += rig.snapshotPages;
      rejected += rig.rejected;
      recoveries += rig.readers.reduce((sum, one) => sum + one.recoveries, 0);
    };
    const steps = fc.array(step, { minLength: 20, maxLength: 120 });
    await fc.assert(fc.asyncProperty(steps, run), { numRuns: 100 });
    expect(Math.min(snapshotPages, rejected, recoveries)).toBeGreaterThan(0);
  });
}
