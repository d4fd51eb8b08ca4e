import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { identityOf } from '../../testing/identity-of.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { createCounters } from '../admin/gateway-stats.ts';
import { NOT_WAITING, type Timed, TimingWheel } from '../timing-wheel.ts';
import { ConnectionLimit, type LimitedConnection } from './connection-limit.ts';
import type { ConnectionPolicy } from './excess-connections.ts';

const CHANNEL = '$connections:ann';

let hub: LoopbackHub;
let nowMs: number;

beforeEach(startHub);

function startHub(): void {
  hub = new LoopbackHub();
  nowMs = 1_790_000_000_000;
  hub.now = () => nowMs++;
}

/** A worker with its own wheel and limit, at the hub of all. */
class Worker {
  readonly wheel = new TimingWheel();
  readonly counters = createCounters();
  readonly limit: ConnectionLimit;
  readonly #open = new Set<LimitedConnection>();

  constructor(connectionsPerUid: number, connectionsPerUidPolicy: ConnectionPolicy) {
    const options = { hub, wheel: this.wheel, connectionsPerUid, connectionsPerUidPolicy };
    this.limit = new ConnectionLimit(options, this.counters);
  }

  /** Opens a connection. `closed` records how it ends. */
  open(id: string, closed: string[] = [], uid = 'ann'): LimitedConnection {
    const connection: LimitedConnection = {
      id,
      identity: identityOf(uid),
      close: (reason) => {
        closed.push(`${id} ${reason}`);
        this.close(connection);
      },
    };
    if (this.limit.add(connection)) this.#open.add(connection);
    else closed.push(`${id} rejected`);
    return connection;
  }

  close(connection: LimitedConnection): void {
    this.#open.delete(connection);
    this.limit.delete(connection);
  }

  closeOldest(): void {
    const [oldest] = this.#open;
    if (oldest !== undefined) this.close(oldest);
  }

  get openIds(): readonly string[] {
    return Array.from(this.#open, ({ id }) => id);
  }
}

/** Resolves when the hub has delivered what is published. */
async function delivered(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Lets one worker after another tick: their ticks have one length, and any phase. */
function* ticks(workers: readonly Worker[]): Generator<undefined> {
  for (;;) {
    for (const { wheel } of workers) {
      wheel.tick();
      yield undefined;
    }
  }
}

/** Lets a round pass on all workers. */
async function pass(workers: readonly Worker[], seconds = 4): Promise<void> {
  for (let tick = 0; tick < seconds; tick++) {
    await delivered();
    for (const { wheel } of workers) wheel.tick();
  }
  await delivered();
}

describe('on one worker', () => {
  test('a connection beyond the limit is rejected at once', () => {
    const closed: string[] = [];
    const worker = new Worker(2, 'refuse');
    const first = worker.open('a', closed);
    for (const id of ['b', 'c']) worker.open(id, closed);
    expect(closed).toEqual(['c rejected']);
    worker.limit.delete(first);
    worker.open('d', closed);
    worker.open('e', closed, 'bob');
    expect(closed).toEqual(['c rejected']);
  });

  test('a connection beyond the limit replaces the oldest one at once', () => {
    const closed: string[] = [];
    const worker = new Worker(2, 'replace_oldest');
    for (const id of ['a', 'b', 'c', 'd']) worker.open(id, closed);
    expect(closed).toEqual(['a replaced', 'b replaced']);
  });

  test.each(['refuse', 'replace_oldest'] as const)(
    'with %s a client that comes back replaces its own connection',
    async (policy) => {
      const closed: string[] = [];
      const worker = new Worker(1, policy);
      worker.open('a', closed);
      await delivered();
      worker.open('a', closed);
      expect(closed).toEqual(['a replaced']);
      expect(worker.limit.users).toBe(1);
      await pass([worker], 8);
      expect(closed).toEqual(['a replaced']);
    },
  );

  test('the channel is subscribed while the user has a connection', async () => {
    const worker = new Worker(3, 'refuse');
    const [a, b] = [worker.open('a'), worker.open('b')];
    await pass([worker]);
    worker.limit.delete(a);
    worker.limit.delete(b);
    worker.limit.delete(b);
    expect(worker.limit.users).toBe(0);
    expect(worker.wheel.waiting).toBe(0);
    const calls = hub.calls.filter(({ name }) => name !== 'publish');
    expect(calls).toEqual([
      { name: 'subscribe', channel: CHANNEL },
      { name: 'unsubscribe', channel: CHANNEL },
    ]);
  });

  test('a connection without a user is not counted', () => {
    const worker = new Worker(1, 'refuse');
    const connection: LimitedConnection = { id: 'a', identity: undefined, close: expect.unreachable };
    expect(worker.limit.add(connection)).toBe(true);
    worker.limit.delete(connection);
    expect(hub.calls).toEqual([]);
  });
});

describe('on several workers', () => {
  test('the newest connection beyond the limit is closed', async () => {
    const closed: string[] = [];
    const workers = [1, 2, 3].map(() => new Worker(2, 'refuse'));
    for (const [index, worker] of workers.entries()) {
      worker.open(`c${index}`, closed);
      await delivered();
    }
    await pass(workers);
    expect(closed).toEqual(['c2 too_many_connections']);
    expect(workers.map(({ limit }) => limit.users)).toEqual([1, 1, 0]);
  });

  test('the oldest connection beyond the limit is replaced', async () => {
    const closed: string[] = [];
    const workers = [1, 2, 3].map(() => new Worker(2, 'replace_oldest'));
    for (const [index, worker] of workers.entries()) worker.open(`c${index}`, closed);
    await pass(workers);
    expect(closed).toEqual(['c0 replaced']);
  });

  test('long after the others, a connection counts them', async () => {
    const closed: string[] = [];
    const workers = [1, 2, 3].map(() => new Worker(2, 'replace_oldest'));
    for (const [index, worker] of workers.entries()) {
      worker.open(`c${index}`, closed);
      await pass(workers, 20);
    }
    expect(closed).toEqual(['c0 replaced']);
  });

  test('connections that open at the same time leave as many as the limit', async () => {
    for (const policy of ['refuse', 'replace_oldest'] as const) {
      const closed: string[] = [];
      const workers = Array.from({ length: 8 }, () => new Worker(3, policy));
      for (const [index, worker] of workers.entries()) worker.open(`c${index}`, closed);
      await pass(workers);
      expect(closed).toHaveLength(5);
      expect(workers.filter(({ limit }) => limit.users === 1)).toHaveLength(3);
    }
  });

  test.each(['refuse', 'replace_oldest'] as const)(
    'with %s a client that comes back on another worker replaces its own connection',
    async (policy) => {
      const closed: string[] = [];
      const workers = [1, 2].map(() => new Worker(1, policy));
      workers[0]?.open('a', closed);
      await pass(workers);
      workers[1]?.open('a', closed);
      await pass(workers);
      expect(closed).toEqual(['a replaced']);
      expect(workers.map(({ limit }) => limit.users)).toEqual([0, 1]);
    },
  );

  test('a connection that ends while the others are counted makes room', async () => {
    const closed: string[] = [];
    const workers = [1, 2].map(() => new Worker(1, 'replace_oldest'));
    const [first, second] = workers;
    const one = first?.open('a', closed) ?? expect.unreachable();
    await pass(workers, 20);
    second?.open('b', closed);
    await pass(workers, 1);
    first?.limit.delete(one);
    await pass(workers);
    expect(closed).toEqual([]);
    expect(workers.map(({ limit }) => limit.users)).toEqual([0, 1]);
  });

  test('one of several connections that ends while the others are counted makes room', async () => {
    const closed: string[] = [];
    const workers = [1, 2, 3].map(() => new Worker(3, 'replace_oldest'));
    const [first, second, third] = workers;
    first?.open('a', closed);
    second?.open('b', closed);
    const ends = second?.open('c', closed) ?? expect.unreachable();
    await pass(workers, 20);
    third?.open('d', closed);
    await pass(workers, 1);
    second?.close(ends);
    await pass(workers);
    expect(closed).toEqual([]);
  });

  test('connections of a worker that has died are not counted', async () => {
    const closed: string[] = [];
    const workers = [1, 2].map(() => new Worker(2, 'refuse'));
    const [dead, alive] = workers;
    dead?.open('a', closed);
    alive?.open('b', closed);
    await pass(workers);
    if (dead !== undefined) hub.unsubscribe(CHANNEL, dead.limit);
    alive?.open('c', closed);
    await pass(workers);
    expect(closed).toEqual([]);
  });

  test('an answer that comes after a round is not counted in the next', async () => {
    const closed: string[] = [];
    const worker = new Worker(2, 'refuse');
    worker.open('a', closed);
    await pass([worker]);
    hub.publish(CHANNEL, '{"worker":"w","open":[["z",1]],"opened":[]}', { ephemeral: true });
    await pass([worker]);
    worker.open('b', closed);
    await pass([worker]);
    expect(closed).toEqual([]);
  });

  test('a worker reports at most once in a tick, however often its user connects', async () => {
    const workers = [1, 2].map(() => new Worker(5, 'replace_oldest'));
    for (let index = 0; index < 100; index++) {
      for (const [at, worker] of workers.entries()) worker.open(`${at}-${index}`);
      await delivered();
    }
    expect(hub.calls.filter(({ name }) => name === 'publish').length).toBeLessThanOrEqual(2);
    await pass(workers, 1);
    expect(hub.calls.filter(({ name }) => name === 'publish').length).toBeLessThanOrEqual(4);
  });

  test('reports that arrive in each tick do not delay the limit', async () => {
    const closed: string[] = [];
    const workers = [1, 2].map(() => new Worker(1, 'replace_oldest'));
    const [first, second] = workers;
    const report = '{"worker":"w","open":[],"opened":[]}';
    for (const { wheel } of workers) {
      // Expires before the limit in each tick, as one of many connections of the worker may.
      const noise: Timed = {
        wheelSlot: NOT_WAITING,
        expired: () => {
          wheel.schedule(noise, 1);
          hub.publish(CHANNEL, report, { ephemeral: true });
        },
      };
      wheel.schedule(noise, 1);
    }
    first?.open('a', closed);
    second?.open('b', closed);
    await pass(workers);
    expect(closed).toEqual(['a replaced']);
  });

  test('while the hub is away each worker counts its own, and all of them afterwards', async () => {
    const closed: string[] = [];
    const workers = [1, 2].map(() => new Worker(1, 'refuse'));
    hub.away = true;
    for (const [index, worker] of workers.entries()) worker.open(`c${index}`, closed);
    await pass(workers);
    expect(closed).toEqual([]);
    hub.comeBack();
    await pass(workers);
    expect(closed).toEqual(['c1 too_many_connections']);
  });

  test('after any opens and closes at any times, each client has one connection, within the limit', async () => {
    const act = fc.record({
      worker: fc.integer({ min: 0, max: 2 }),
      act: fc.constantFrom('open', 'open', 'close', 'tick', 'tick'),
      id: fc.constantFrom('a', 'b', 'c', 'd'),
    });
    const policies = fc.constantFrom('refuse' as const, 'replace_oldest' as const);
    const property = fc.asyncProperty(fc.array(act), policies, async (acts, policy) => {
      startHub();
      const workers = [1, 2, 3].map(() => new Worker(2, policy));
      const ticking = ticks(workers);
      for (const { worker: at, act: what, id } of acts) {
        const worker = workers[at] ?? expect.unreachable();
        if (what === 'open') worker.open(id);
        else if (what === 'close') worker.closeOldest();
        else ticking.next();
        await delivered();
      }
      const before = new Set(workers.flatMap(({ openIds }) => openIds)).size;
      await pass(workers, 10);
      const after = workers.flatMap(({ openIds }) => openIds);
      expect(new Set(after).size).toBe(after.length);
      expect(after).toHaveLength(Math.min(2, before));
      expect(workers.every(({ wheel }) => wheel.waiting === 0)).toBe(true);
    });
    await fc.assert(property, { numRuns: 300 });
  });

  test('what is no report is counted and changes nothing', async () => {
    const closed: string[] = [];
    const worker = new Worker(1, 'refuse');
    worker.open('a', closed);
    await delivered();
    for (const text of ['', '{}', '{"worker":"w","open":[],"opened":[7]}'])
      hub.publish(CHANNEL, text, { ephemeral: true });
    await pass([worker]);
    expect(closed).toEqual([]);
    expect(worker.counters.dropped.not_json).toBe(3);
  });
});
