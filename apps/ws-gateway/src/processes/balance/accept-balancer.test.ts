import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AcceptAllowance } from './accept-allowance.ts';
import { AcceptBalancer, type Acceptor } from './accept-balancer.ts';

/** Accepts like a worker. Its reports and its allowances travel only when `settle` runs. */
class FakeAcceptor implements Acceptor {
  connections: number;
  isPaused = false;
  isHung = false;
  /** Whether messages with a handle are lost on the way to it. */
  losesHandles = false;
  asked = 0;
  readonly #allowance = new AcceptAllowance();
  readonly #balancer: AcceptBalancer<FakeAcceptor>;
  #pending: (() => void)[] = [];

  constructor(balancer: AcceptBalancer<FakeAcceptor>, connections = 0) {
    this.#balancer = balancer;
    this.connections = connections;
    balancer.join(this);
    this.#report();
    this.settle();
  }

  get accepted(): number {
    return this.#allowance.accepted;
  }

  get accepts(): boolean {
    return !this.isPaused && !this.isHung;
  }

  allow(upTo: number, isPaused: boolean): void {
    if (isPaused && this.losesHandles) return;
    this.#pending.push(() => {
      this.#allowance.allow(upTo);
      if (isPaused) this.isPaused = false;
      else if (!this.isPaused && this.#allowance.isUsedUp) {
        this.isPaused = true;
        this.#report();
      }
    });
  }

  ask(): void {
    this.asked += 1;
    this.#pending.push(() => this.#report());
  }

  accept(): void {
    const isReported = this.#allowance.accept(this.connections);
    this.connections += 1;
    this.isPaused = this.#allowance.isUsedUp;
    if (isReported) this.#report();
  }

  /** Delivers what is on the way to it and from it. Returns whether there was anything. */
  settle(): boolean {
    if (this.isHung || this.#pending.length === 0) return false;
    for (const deliver of this.#pending.splice(0)) deliver();
    return true;
  }

  #report(): void {
    const { accepted, connections, isPaused } = this;
    this.#pending.push(() => this.#balancer.report(this, { accepted, connections, isPaused }));
  }
}

let balancer: AcceptBalancer<FakeAcceptor>;

beforeEach(() => {
  vi.useFakeTimers();
  balancer = new AcceptBalancer();
});
afterEach(() => {
  vi.useRealTimers();
});

function acceptors(...connections: readonly number[]): FakeAcceptor[] {
  const all = connections.map((count) => new FakeAcceptor(balancer, count));
  settle(all);
  return all;
}

function settle(all: readonly FakeAcceptor[]): void {
  while (all.map((acceptor) => acceptor.settle()).includes(true));
}

/**
 * Lets `count` connections arrive. Each goes to the first acceptor that accepts any, as on a
 * machine that always wakes the same process first. Messages arrive after every `atOnce` ones.
 */
function arrive(all: readonly FakeAcceptor[], count: number, atOnce = 1): void {
  for (let index = 0; index < count; index++) {
    if (index % atOnce === 0) settle(all);
    let acceptor = all.find(({ accepts }) => accepts);
    if (acceptor === undefined) settle(all);
    acceptor ??= all.find(({ accepts }) => accepts);
    if (acceptor === undefined) throw new Error('No acceptor accepts connections.');
    acceptor.accept();
  }
  settle(all);
}

test('acceptors whose handles were lost are asked once a second, and get another one', () => {
  const all = acceptors(0, 0);
  for (const acceptor of all) acceptor.losesHandles = true;
  for (let open = all; open.length > 0; open = all.filter(({ accepts }) => accepts)) {
    open[0]?.accept();
    settle(all);
  }
  for (const acceptor of all) acceptor.losesHandles = false;
  balancer.tick();
  settle(all);
  expect(all.map(({ accepts }) => accepts)).toContain(true);
  arrive(all, 100);
});

describe('the spread', () => {
  test.each([
    [2, 1],
    [3, 1],
    [8, 1],
    [2, 50],
    [8, 50],
    [8, 2_000],
  ])('over %i acceptors is at most the lead, with %i arrivals between two messages', (count, atOnce) => {
    const all = acceptors(...Array<number>(count).fill(0));
    arrive(all, 250 * count, atOnce);
    const accepted = all.map((acceptor) => acceptor.accepted);
    expect(Math.max(...accepted) - Math.min(...accepted)).toBeLessThanOrEqual(Math.ceil(250 / 8));
  });

  test('of the first connections is one each', () => {
    const all = acceptors(0, 0, 0, 0);
    arrive(all, 4);
    expect(all.map(({ accepted }) => accepted)).toEqual([1, 1, 1, 1]);
  });

  test('comes back after a restart: an underloaded acceptor gets more of the new ones, but not all', () => {
    const all = acceptors(1_000, 1_000, 1_000, 0);
    const fresh = all[3]!;
    arrive(all, 700);
    expect(fresh.accepted).toBeGreaterThan(250);
    expect(fresh.accepted).toBeLessThan(500);
    arrive(all, 8_000);
    const counts = all.map(({ connections }) => connections);
    const mean = counts.reduce((sum, connections) => sum + connections) / all.length;
    for (const connections of counts) expect(Math.abs(connections - mean)).toBeLessThan(mean / 6);
  });
});

describe('there is always an acceptor that accepts', () => {
  test('when the one that the others wait for is gone', () => {
    const [ahead, behind] = acceptors(0, 0);
    arrive([ahead!, behind!], 1);
    expect([ahead!.accepts, behind!.accepts]).toEqual([false, true]);
    balancer.leave(behind!);
    settle([ahead!]);
    expect(ahead!.accepts).toBe(true);
    arrive([ahead!], 100);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('when the one that the others wait for hangs; when it answers again, it does not catch up', () => {
    const both = acceptors(0, 0);
    const [ahead, hung] = both;
    hung!.isHung = true;
    arrive(both, 1);
    expect(ahead!.accepts).toBe(false);
    vi.advanceTimersByTime(500);
    settle(both);
    expect(ahead!.accepts).toBe(true);
    arrive(both, 300);
    hung!.isHung = false;
    balancer.tick();
    arrive(both, 200);
    expect(ahead!.accepted).toBeGreaterThan(330);
    expect(hung!.accepted).toBeGreaterThan(90);
  });

  test('when all of them hang', () => {
    const all = acceptors(0, 0);
    arrive(all, 1);
    for (const acceptor of all) acceptor.isHung = true;
    vi.advanceTimersByTime(500);
    all[0]!.isHung = false;
    balancer.tick();
    settle(all);
    vi.advanceTimersByTime(500);
    settle(all);
    expect(all.some(({ accepts }) => accepts)).toBe(true);
  });
});

test('while no connection arrives, a paused acceptor costs one request each second, and others cost none', () => {
  const all = acceptors(0, 0);
  vi.advanceTimersByTime(10_000);
  balancer.tick();
  expect(vi.getTimerCount()).toBe(0);
  arrive(all, 1);
  vi.advanceTimersByTime(300);
  settle(all);
  vi.advanceTimersByTime(10_000);
  settle(all);
  const { asked } = all[1]!;
  vi.advanceTimersByTime(10_000);
  expect(all[1]!.asked).toBe(asked);
  balancer.tick();
  vi.advanceTimersByTime(300);
  settle(all);
  vi.advanceTimersByTime(10_000);
  expect(all[1]!.asked).toBe(asked + 1);
});

test('a report of an acceptor that has left is ignored', () => {
  const [one, gone] = acceptors(0, 0);
  balancer.leave(gone!);
  gone!.accept();
  one!.accept();
  settle([one!, gone!]);
  expect(one!.accepts).toBe(true);
});
