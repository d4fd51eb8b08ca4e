import { decodeText, native, type Position, ProtocolError } from '@groupcast/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CHANNEL, KeyedModelHub } from '../../testing/keyed-model-hub.ts';
import { Requests } from '../connection/requests.ts';
import { ArrivingPage } from '../history/arriving-page.ts';
import { HistoryReads } from '../history/history-reads.ts';
import type { Subscription } from '../subscriptions/channel-subscription.ts';
import { Subscriptions } from '../subscriptions/subscriptions.ts';
import type { KeyedMap } from './keyed-map.ts';
import { KeyedMaps } from './keyed-maps.ts';

const KEYS = ['k', 'l', 'm', 'n', 'o', '__proto__', 'é'];
const LIFE_MS_MAX = 600;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A map, and a copy of it that its events alone keep. */
class Watched {
  readonly map: KeyedMap;
  readonly copy = new Map<string, string>();
  readonly faults: string[] = [];
  loads = 0;
  failures = 0;

  constructor(map: KeyedMap, expected: () => Map<string, string>) {
    this.map = map;
    map.on('change', (key, value) => {
      const before = this.copy.get(key);
      if (value === undefined && before === undefined) this.faults.push(`${key} has gone twice.`);
      if (value === undefined) this.copy.delete(key);
      else this.copy.set(key, decodeText(value.payload) ?? '');
    });
    map.on('ready', () => {
      this.loads += 1;
      // An exception here would be uncaught, and not a failure of its run.
      const values = this.values();
      for (const [key, text] of expected()) {
        if (values.get(key) !== text) this.faults.push(`${key} is ${values.get(key)}, not ${text}.`);
        values.delete(key);
      }
      for (const key of values.keys()) if (!this.#hasLife(key)) this.faults.push(`${key} is still there.`);
    });
    map.on('failed', () => {
      this.failures += 1;
    });
  }

  #hasLife(key: string): boolean {
    return this.map.get(key)?.meta === 'has a life';
  }

  values(): Map<string, string> {
    return new Map([...this.map.entries()].map(([key, { payload }]) => [key, decodeText(payload) ?? '']));
  }
}

/** The parts of a client, over a hub that moves when the test says so. */
class Bench {
  readonly hub = new KeyedModelHub();
  readonly watched = new Map<string, Watched>();
  readonly ended: Watched[] = [];
  readonly reads: HistoryReads;
  readonly subscriptions: Subscriptions;
  readonly #requests = new Requests(() => this.hub);
  readonly #maps: KeyedMaps;
  readonly #subscription: Subscription;
  /** Position of the last delivery. */
  #at: Position = { epoch: '', offset: 0 };
  #texts = 0;

  constructor() {
    const limits = { historyInFlightMax: 2, historyWaitingMax: 1_000, publishMs: 1_000_000 };
    this.reads = new HistoryReads(limits, this.#requests);
    this.subscriptions = new Subscriptions(this.#requests, this.reads, () => {});
    this.#maps = new KeyedMaps(this.subscriptions, this.reads, () => Promise.reject(new Error('unused')));
    // It precedes the maps.
    const subscriber = {
      subscribed: (_subject: native.Subject, position: Position): void => this.#moveTo(position),
      lost: (_subject: native.Subject, position: Position): void => this.#moveTo(position),
      deliver: ({ number }: native.Publication): void => {
        this.#at = { epoch: this.#subscription.epoch, offset: number };
      },
    };
    this.#subscription = this.subscriptions.add({ name: CHANNEL, prefix: false }, subscriber);
  }

  #moveTo(position: Position): void {
    this.#at = position;
  }

  open(): void {
    if (this.hub.isOpen) return;
    this.hub.isOpen = true;
    this.subscriptions.resume();
    this.reads.resume();
  }

  lose(fault: 'break' | 'restart'): void {
    this.hub[fault]();
    this.subscriptions.suspend();
    this.reads.suspend();
  }

  set(key: string, lifeMs: number): void {
    this.hub.set(key, `${this.#texts++}`, lifeMs);
  }

  toggle(name: string): void {
    const found = this.watched.get(name);
    if (found === undefined) {
      this.watched.set(name, new Watched(this.#maps.open(CHANNEL), () => this.hub.endlessAt(this.#at)));
      return;
    }
    found.map.close();
    this.watched.delete(name);
    this.ended.push(found);
  }

  /** Receives one message of the hub. */
  receive(): void {
    const [first, ...rest] = this.hub.takeDown().map((frame) => native.decodeNative(frame));
    if (first?.type === 'deliver') this.subscriptions.deliver(first.publication);
    else if (first?.type === 'subscribed') this.subscriptions.subscribed(first);
    else if (first?.type === 'error')
      this.#requests.reject(first.request, new ProtocolError('internal_error'));
    if (first?.type !== 'page') return;
    const page = new ArrivingPage(first);
    for (const message of rest) page.add(message, 1);
    this.reads.answer(first.request, page.whole ?? expect.unreachable());
  }

  sweep(): void {
    this.subscriptions.retry();
    this.#maps.retry();
    this.subscriptions.checkPositions(1);
  }

  /** Delivers everything that is in transit, without further faults. */
  settle(): void {
    this.open();
    for (let sweeps = 0; sweeps < 2; sweeps++) {
      this.sweep();
      for (let steps = 0; !this.hub.isIdle; steps++) {
        if (steps > 10_000) throw new Error('It never comes to rest.');
        this.hub.work();
        this.receive();
      }
    }
  }
}

type Step = (bench: Bench) => void;

const key = fc.constantFrom(...KEYS);
const lifeMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: LIFE_MS_MAX }));
const fault = fc.constantFrom('break' as const, 'break' as const, 'restart' as const);

function step<T>(weight: number, drawn: fc.Arbitrary<T>, take: (bench: Bench, value: T) => void): Weighted {
  return { weight, arbitrary: drawn.map((value) => (bench: Bench) => take(bench, value)) };
}
type Weighted = { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    step(8, fc.tuple(key, lifeMs), (bench, [name, life]) => bench.set(name, life)),
    step(3, key, ({ hub }, name) => hub.set(name, '', 0)),
    step(10, fc.nat(9), ({ hub }, reject) => hub.work(reject === 0)),
    step(12, fc.constant(0), (bench) => bench.receive()),
    step(3, fc.constantFrom('one', 'two', 'three'), (bench, name) => bench.toggle(name)),
    step(3, fc.constant(0), (bench) => bench.open()),
    step(1, fault, (bench, how) => bench.lose(how)),
    step(1, fc.nat(20), ({ hub }, which) => hub.loseDelivery(which)),
    step(1, fc.nat(4), ({ hub }, kept) => hub.trim(kept)),
    step(1, fc.nat(200), (_bench, ms) => vi.advanceTimersByTime(ms)),
    step(2, fc.constant(0), (bench) => bench.sweep()),
  ),
  { minLength: 100, maxLength: 300 },
);

test('whatever happens between hub and client, a map that is ready has the values of the hub', () => {
  const seen = { loads: 0, reloads: 0, failures: 0, ended: 0, values: 0, recoveries: 0 };
  const run = (drawn: readonly Step[]): void => {
    const bench = new Bench();
    bench.open();
    // Others leave again; this one stays.
    bench.toggle('stays');
    for (const take of drawn) take(bench);
    bench.settle();
    // Each clock counts a life from another moment on.
    vi.advanceTimersByTime(LIFE_MS_MAX);
    bench.settle();
    const values = bench.hub.values();
    for (const one of bench.watched.values()) {
      expect(one.map.isReady).toBe(true);
      expect(one.values()).toEqual(values);
      expect(one.copy).toEqual(values);
      seen.loads += one.loads;
      seen.reloads += one.loads - 1;
      seen.failures += one.failures;
    }
    for (const one of [...bench.watched.values(), ...bench.ended]) expect(one.faults).toEqual([]);
    for (const { map } of bench.ended) expect([map.size, map.isReady]).toEqual([0, false]);
    expect([bench.reads.inFlight, bench.reads.waiting]).toEqual([0, 0]);
    seen.ended += bench.ended.length;
    seen.values += values.size;
    seen.recoveries += bench.subscriptions.stats().recoveries;
    for (const name of bench.watched.keys()) bench.toggle(name);
    expect([vi.getTimerCount(), bench.subscriptions.stats().subjects]).toEqual([0, 1]);
  };
  fc.assert(fc.property(steps, run), { numRuns: 500, seed: 20_261_130 });
  // A run without any of these would prove nothing.
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(50);
});
