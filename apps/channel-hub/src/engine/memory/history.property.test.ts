import { native, type Position } from '@groupcast/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Harness, textOf } from '../../../testing/engine-harness.ts';
import type { HistoryPage } from '../engine.ts';
import type { HistoryLimits } from './history-limits.ts';
import { MemoryEngine } from './memory-engine.ts';

const CHANNELS = ['a', 'b', 'c'] as const;
type Channel = (typeof CHANNELS)[number];

/** One publication in the record of a witness, which forgets none. */
interface Remembered {
  readonly offset: number;
  readonly text: string;
  readonly bytes: number;
  readonly atMs: number;
}

const channel = fc.constantFrom(...CHANNELS);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), channel, bytes: fc.nat(600) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), channel, back: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('last' as const), channel, count: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('follow' as const), channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unfollow' as const), channel }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(700) }) },
);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const NOWHERE: Position = { epoch: '', offset: 0 };

/** Lengths of the pages of the newest publications that had any. */
const newest: number[] = [];

/**
 * Runs the steps, and compares each page with the record of the witness. Returns the counts of the
 * verdicts.
 */
async function run(
  limits: HistoryLimits,
  steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
  check: (page: HistoryPage, since: Position, log: readonly Remembered[]) => void,
): Promise<void> {
  const engine = new Harness(new MemoryEngine(limits));
  await engine.start();
  const logs = new Map<Channel, Remembered[]>(CHANNELS.map((name) => [name, []]));
  const followed = new Set<Channel>();
  let texts = 0;
  try {
    for (const each of steps) {
      if (each.do === 'wait') vi.advanceTimersByTime(each.ms);
      else if (each.do === 'publish') {
        const text = `${texts++} `.padEnd(each.bytes, 'x');
        const log = logs.get(each.channel) ?? [];
        const { offset } = await engine.publish(each.channel, text);
        log.push({ offset, text, bytes: frameBytesOf(text), atMs: performance.now() });
      } else if (each.do === 'read') {
        const { epoch, offset } = await engine.position(each.channel);
        const since = { epoch, offset: Math.max(0, offset - each.back) };
        check(await engine.history(each.channel, since), since, logs.get(each.channel) ?? []);
      } else if (each.do === 'last') {
        const last = each.count + 1;
        const page = await engine.history(each.channel, NOWHERE, { last });
        expect(page).toMatchObject({ verdict: 'recovered', epochIs: 'changed' });
        expect(page.frames.length).toBeLessThanOrEqual(last);
        const since = { ...page.position, offset: page.position.offset - page.frames.length };
        check(page, since, logs.get(each.channel) ?? []);
        if (page.frames.length > 0) newest.push(page.frames.length);
        // A longer history than that of the page does not exist.
        if (page.frames.length === last) continue;
        const earlier = { ...since, offset: since.offset - 1 };
        if (earlier.offset >= 0)
          expect((await engine.history(each.channel, earlier)).verdict).toBe('trimmed');
      } else if (each.do === 'follow' && !followed.has(each.channel)) {
        followed.add(each.channel);
        await engine.subscribe({ name: each.channel, prefix: false });
      } else if (each.do === 'unfollow' && followed.delete(each.channel)) {
        await engine.unsubscribe({ name: each.channel, prefix: false });
      }
    }
  } finally {
    await engine.close();
  }
}

/** Bytes of a frame with a name of one byte, the sender "me" and this payload. */
function frameBytesOf(text: string): number {
  return native.PUBLICATION_HEADER_BYTES + 1 + 2 + text.length;
}

/**
 * A recovered page has exactly the witness's publications after the position; any other is empty.
 */
function isHonest(page: HistoryPage, since: Position, log: readonly Remembered[]): void {
  const after = log.filter(({ offset }) => offset > since.offset);
  expect(page.position.offset).toBe(Math.max(page.position.offset, log.at(-1)?.offset ?? 0));
  if (page.verdict !== 'recovered') {
    expect(page.frames).toEqual([]);
    return;
  }
  expect(page.frames.map(textOf)).toEqual(after.map(({ text }) => text));
  expect(page.more).toBe(false);
}

const steps = fc.array(step, { minLength: 20, maxLength: 120 });

test('a page has exactly the publications after the position, or the reason why not', async () => {
  const limits = {
    countMax: 6,
    ageMs: 1_000,
    bytesMax: 1_500,
    totalBytesMax: 6_000,
    dedupeMs: 1_000,
    dedupeIdsMax: 10,
  };
  const verdicts = new Set<string>();
  await fc.assert(
    fc.asyncProperty(steps, (drawn) =>
      run(limits, drawn, (page, since, log) => {
        verdicts.add(page.verdict);
        isHonest(page, since, log);
      }),
    ),
    { numRuns: 150 },
  );
  expect(verdicts).toEqual(new Set(['recovered', 'trimmed']));
  expect(newest.length).toBeGreaterThan(50);
});

test('every position within the limits of its channel is recovered', async () => {
  const limits = {
    countMax: 6,
    ageMs: 1_000,
    bytesMax: 1_500,
    totalBytesMax: 1e9,
    dedupeMs: 1_000,
    dedupeIdsMax: 10,
  };
  let checked = 0;
  await fc.assert(
    fc.asyncProperty(steps, (drawn) =>
      run(limits, drawn, (page, since, log) => {
        isHonest(page, since, log);
        const after = log.filter(({ offset }) => offset > since.offset);
        const bytes = after.reduce((sum, each) => sum + each.bytes, 0);
        const isWithin =
          after.length > 0 &&
          // It has no record of the offsets that a forgotten channel skipped.
          after[0]?.offset === since.offset + 1 &&
          after.length <= limits.countMax &&
          bytes <= limits.bytesMax &&
          after.every(({ atMs }) => performance.now() - atMs <= limits.ageMs);
        if (!isWithin) return;
        checked += 1;
        expect(page.verdict).toBe('recovered');
      }),
    ),
    { numRuns: 150 },
  );
  expect(checked).toBeGreaterThan(100);
});

interface Told {
  readonly channel: Channel;
  readonly position: Position;
  readonly atMs: number;
}

const toldStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), channel, sender: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), channel }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('come back' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('follow' as const), channel }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unfollow' as const), channel }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(900) }) },
);

type Check = (page: HistoryPage, told: Told, log: readonly Remembered[]) => void;

/** Keeps every returned position, and sometimes returns with one of them. */
class Wanderers {
  readonly #engine: Harness;
  readonly #check: Check;
  readonly #logs = new Map<Channel, Remembered[]>(CHANNELS.map((name) => [name, []]));
  readonly #told: Told[] = [];
  readonly #followed = new Set<Channel>();
  #texts = 0;

  constructor(engine: Harness, check: Check) {
    this.#engine = engine;
    this.#check = check;
  }

  async step(each: typeof toldStep extends fc.Arbitrary<infer Step> ? Step : never): Promise<void> {
    if (each.do === 'wait') vi.advanceTimersByTime(each.ms);
    else if (each.do === 'publish') await this.#publish(each.channel, `s${each.sender}`);
    else if (each.do === 'ask') this.#tell(each.channel, await this.#engine.position(each.channel));
    else if (each.do === 'come back') await this.#comeBack(this.#told[each.pick % this.#told.length]);
    else if (each.do === 'follow' && !this.#followed.has(each.channel)) {
      this.#followed.add(each.channel);
      this.#tell(each.channel, await this.#engine.subscribe({ name: each.channel, prefix: false }));
    } else if (each.do === 'unfollow' && this.#followed.delete(each.channel)) {
      await this.#engine.unsubscribe({ name: each.channel, prefix: false });
    }
  }

  async #publish(name: Channel, sender: string): Promise<void> {
    const text = `${this.#texts++}`.padEnd(200, 'x');
    const position = await this.#engine.publish(name, text, { sender });
    const { offset } = position;
    const log = this.#logs.get(name) ?? [];
    // No offset is assigned twice.
    expect(offset).toBeGreaterThan(log.at(-1)?.offset ?? 0);
    for (const told of this.#told)
      if (told.channel === name) expect(offset).toBeGreaterThan(told.position.offset);
    log.push({ offset, text, bytes: frameBytesOf(text), atMs: performance.now() });
    this.#tell(name, position);
  }

  #tell(name: Channel, position: Position): void {
    this.#told.push({ channel: name, position, atMs: performance.now() });
  }

  async #comeBack(told: Told | undefined): Promise<void> {
    if (told === undefined) return;
    const log = this.#logs.get(told.channel) ?? [];
    const page = await this.#engine.history(told.channel, told.position);
    isHonest(page, told.position, log);
    this.#check(page, told, log);
    this.#tell(told.channel, page.position);
  }
}

/** Runs wanderers on an engine with these limits. */
async function wander(limits: Partial<HistoryLimits>, check: Check): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(toldStep, { minLength: 20, maxLength: 150 }), async (drawn) => {
      const engine = new Harness(new MemoryEngine({ ageMs: 1_000, ...limits }));
      await engine.start();
      const wanderers = new Wanderers(engine, check);
      try {
        for (const each of drawn) await wanderers.step(each);
      } finally {
        await engine.close();
      }
    }),
    { numRuns: 300 },
  );
}

test('a returned position recovers all later publications, while history is kept', async () => {
  let withNothing = 0;
  let withSome = 0;
  await wander({}, (page, told) => {
    if (performance.now() - told.atMs > 1_000) return;
    expect(page.verdict).toBe('recovered');
    if (page.frames.length === 0) withNothing += 1;
    else withSome += 1;
  });
  expect(withNothing).toBeGreaterThan(100);
  expect(withSome).toBeGreaterThan(100);
});

test('beyond the limits, it gets the reason or exactly these publications', async () => {
  const verdicts = new Map<string, number>();
  // Limits for one or two channels, and for one or two positions.
  await wander({ totalBytesMax: 2_600 }, ({ verdict }) => {
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  });
  expect(verdicts.get('trimmed')).toBeGreaterThan(100);
  expect(verdicts.get('recovered')).toBeGreaterThan(100);
  expect(verdicts.get('epoch_changed')).toBeUndefined();
});
