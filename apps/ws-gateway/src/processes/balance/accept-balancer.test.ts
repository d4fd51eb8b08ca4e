import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AcceptBalancer, type Acceptor } from './accept-balancer.ts';

/** Does what it is told, and counts like a worker that reports each connection. */
class FakeAcceptor implements Acceptor {
  accepted = 0;
  connections: number;
  takes = true;
  hangs = false;
  asked = 0;
  readonly #balancer: AcceptBalancer<FakeAcceptor>;

  constructor(balancer: AcceptBalancer<FakeAcceptor>, connections = 0) {
    this.#balancer = balancer;
    this.connections = connections;
    balancer.join(this);
    balancer.heard(this, this);
  }

  pause(): void {
    this.takes = false;
  }

  resume(): void {
    if (!this.hangs) this.takes = true;
  }

  ask(): void {
    this.asked += 1;
    if (!this.hangs) this.#balancer.heard(this, this);
  }

  take(): void {
    this.accepted += 1;
    this.connections += 1;
    this.#balancer.heard(this, this);
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
  return connections.map((count) => new FakeAcceptor(balancer, count));
}

/** Each connection goes to the first one that takes any, as on a machine that always wakes the same one first. */
function arrive(all: readonly FakeAcceptor[], count: number): void {
  for (let index = 0; index < count; index++) {
    const acceptor = all.find(({ takes }) => takes);
    if (acceptor === undefined) throw new Error('Nobody takes connections.');
    acceptor.take();
  }
}

describe('evenness', () => {
  test.each([2, 3, 8])('of %i acceptors of whom the first would take all', (count) => {
    const all = acceptors(...Array<number>(count).fill(0));
    arrive(all, 250 * count);
    for (const { accepted } of all) expect(Math.abs(accepted - 250)).toBeLessThanOrEqual(25);
  });

  test('of the first few: one each', () => {
    const all = acceptors(0, 0, 0, 0);
    arrive(all, 4);
    expect(all.map(({ accepted }) => accepted)).toEqual([1, 1, 1, 1]);
  });

  test('comes back after a restart: whoever has few takes more of the new ones, but not all', () => {
    const all = acceptors(1_000, 1_000, 1_000, 0);
    const fresh = all[3]!;
    arrive(all, 700);
    expect(fresh.accepted).toBeGreaterThan(250);
    expect(fresh.accepted).toBeLessThan(500);
    arrive(all, 8_000);
    const counts = all.map(({ connections }) => connections);
    const mean = counts.reduce((sum, connections) => sum + connections) / all.length;
    for (const connections of counts) expect(Math.abs(connections - mean)).toBeLessThan(mean / 8);
  });
});

describe('somebody always takes connections', () => {
  test('when the one that is waited for is gone', () => {
    const [ahead, behind] = acceptors(0, 0);
    arrive([ahead!, behind!], 1);
    expect([ahead!.takes, behind!.takes]).toEqual([false, true]);
    balancer.leave(behind!);
    expect(ahead!.takes).toBe(true);
    arrive([ahead!], 100);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('when the one that is waited for hangs; it takes its turn again when it answers, and does not catch up', () => {
    const [ahead, hung] = acceptors(0, 0);
    hung!.hangs = true;
    arrive([ahead!], 1);
    expect(ahead!.takes).toBe(false);
    vi.advanceTimersByTime(500);
    expect(ahead!.takes).toBe(true);
    arrive([ahead!], 300);
    hung!.hangs = false;
    balancer.tick();
    arrive([ahead!, hung!], 200);
    expect(ahead!.accepted).toBeGreaterThan(330);
    expect(hung!.accepted).toBeGreaterThan(100);
  });

  test('when all of them hang', () => {
    const all = acceptors(0, 0);
    arrive(all, 1);
    for (const acceptor of all) acceptor.hangs = true;
    vi.advanceTimersByTime(500);
    all[0]!.hangs = false;
    balancer.tick();
    vi.advanceTimersByTime(500);
    expect(all.some(({ takes }) => takes)).toBe(true);
  });
});

test('one that waits while nobody comes costs a question each second, and nobody who waits costs none', () => {
  const all = acceptors(0, 0);
  vi.advanceTimersByTime(10_000);
  balancer.tick();
  expect(vi.getTimerCount()).toBe(0);
  arrive(all, 1);
  vi.advanceTimersByTime(1_000);
  const asked = all[1]!.asked;
  vi.advanceTimersByTime(10_000);
  expect(all[1]!.asked).toBe(asked);
  balancer.tick();
  vi.advanceTimersByTime(1_000);
  expect(all[1]!.asked).toBe(asked + 1);
});

test('what is said by one that has left is not heard', () => {
  const [one, gone] = acceptors(0, 0);
  balancer.leave(gone!);
  gone!.take();
  one!.take();
  expect([one!.takes, gone!.takes]).toEqual([true, true]);
});
