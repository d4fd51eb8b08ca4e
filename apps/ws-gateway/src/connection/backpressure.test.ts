import { expect, test } from 'vitest';
import { TimingWheel } from '../timing-wheel.ts';
import { Backpressure, type BufferLimits, type WritableConnection } from './backpressure.ts';
import { CHUNK_OVERHEAD_BYTES } from './shared-buffers.ts';

const LIMITS: BufferLimits = {
  slowBytesPerSecond: 100,
  slowMs: 5_000,
  clientBufferBytes: 10_000,
  clientBufferTotalBytes: 10_000_000,
};

/** A total that tests reach. */
const TOTAL: Partial<BufferLimits> = { clientBufferTotalBytes: 32_000 };

/** A connection whose client takes bytes when it is told to. */
class FakeOutlet implements WritableConnection {
  writtenBytes = 0;
  sentBytes = 0;
  /** Bytes at the front that the network has, and whose memory is held all the same. */
  unfreedBytes = 0;
  readonly events: string[] = [];
  readonly #policy: Backpressure;

  constructor(policy: Backpressure) {
    this.#policy = policy;
  }

  get bufferedBytes(): number {
    return this.writtenBytes - this.sentBytes + this.unfreedBytes;
  }

  tooSlow(): void {
    this.events.push('slow');
  }

  cut(): void {
    this.events.push('cut');
  }

  write(chunk: Uint8Array | number): 'ok' | 'slow' {
    const bytes = typeof chunk === 'number' ? new Uint8Array(chunk) : chunk;
    this.writtenBytes += bytes.length;
    return this.#policy.wrote(this, bytes);
  }

  take(bytes: number): void {
    this.sentBytes = Math.min(this.writtenBytes, this.sentBytes + bytes);
  }
}

interface Setup {
  readonly policy: Backpressure;
  readonly wheel: TimingWheel;
  outlet(): FakeOutlet;
  turn(ticks: number): void;
}

function setUp(limits: Partial<BufferLimits> = {}): Setup {
  const wheel = new TimingWheel();
  const policy = new Backpressure({ ...LIMITS, ...limits }, wheel);
  return {
    policy,
    wheel,
    outlet: () => new FakeOutlet(policy),
    turn: (ticks) => {
      for (let tick = 0; tick < ticks; tick++) wheel.tick();
    },
  };
}

test('a client that takes nothing is slow after the time, however little waits for it', () => {
  const { outlet, turn } = setUp();
  const one = outlet();
  one.write(1);
  turn(4);
  expect(one.events).toEqual([]);
  turn(1);
  expect(one.events).toEqual(['slow']);
});

test.each([
  [99, ['slow']],
  [100, []],
])('a client that takes %i bytes a second, where 100 are asked for: %j', (bytes, events) => {
  const { outlet, turn } = setUp();
  const one = outlet();
  one.write(9_000);
  for (let second = 0; second < 5; second++) {
    one.take(bytes);
    turn(1);
  }
  expect(one.events).toEqual(events);
});

test('the time slides: what was taken long ago does not help', () => {
  const { outlet, turn } = setUp();
  const one = outlet();
  one.write(9_000);
  turn(2);
  one.take(2_000);
  turn(5);
  expect(one.events).toEqual([]);
  turn(1);
  expect(one.events).toEqual(['slow']);
});

test('a long frame is no reason while it is taken, even where the socket holds the whole of it', () => {
  const { outlet, turn } = setUp();
  const one = outlet();
  expect(one.write(1_000_000)).toBe('ok');
  for (let second = 0; second < 60; second++) {
    one.take(100);
    one.unfreedBytes += 100;
    turn(1);
  }
  expect(one.events).toEqual([]);
});

test('a client for which nothing waited in between has the whole time again', () => {
  const { outlet, turn } = setUp();
  const one = outlet();
  one.write(50);
  turn(4);
  one.take(50);
  one.write(50);
  turn(4);
  expect(one.events).toEqual([]);
  turn(1);
  expect(one.events).toEqual(['slow']);
});

test('with a rate of 0 no client is slow for what it takes', () => {
  const { outlet, turn } = setUp({ slowBytesPerSecond: 0 });
  const one = outlet();
  one.write(9_000);
  turn(100);
  expect(one.events).toEqual([]);
});

test('more than the limit behind the chunk that is being written is too much, at the very write', () => {
  const { outlet } = setUp();
  const one = outlet();
  expect(one.write(5_000)).toBe('ok');
  expect(one.write(10_000)).toBe('ok');
  expect(one.write(1)).toBe('slow');
});

test('what a client has taken meanwhile no longer counts', () => {
  const { outlet } = setUp();
  const one = outlet();
  one.write(5_000);
  one.write(10_000);
  // The second one is being written now.
  one.take(5_001);
  expect(one.write(10_000)).toBe('ok');
  expect(one.write(1)).toBe('slow');
});

test('one long frame is no reason, wherever it waits: in front, behind others, and with others behind it', () => {
  const { outlet } = setUp();
  const one = outlet();
  expect(one.write(50_000)).toBe('ok');
  expect(one.write(60_000)).toBe('ok');
  expect(one.write(10_000)).toBe('ok');
  expect(one.write(1)).toBe('slow');
});

test('of two long frames behind another, one is a reason', () => {
  const { outlet } = setUp();
  const one = outlet();
  expect(one.write(1)).toBe('ok');
  expect(one.write(10_001)).toBe('ok');
  expect(one.write(10_001)).toBe('slow');
});

test('long frames one after another reach a client that keeps up with them', () => {
  const { outlet, turn } = setUp();
  const one = outlet();
  one.write(500);
  for (let count = 0; count < 20; count++) {
    expect(one.write(50_000)).toBe('ok');
    expect(one.write(9_000)).toBe('ok');
    turn(1);
    one.take(59_000);
  }
  expect(one.events).toEqual([]);
});

test('frames that the socket writes by itself do not make a client slow, however long it is served', () => {
  const { outlet } = setUp();
  const one = outlet();
  one.write(1_000);
  for (let count = 0; count < 1_000; count++) {
    // Pongs, which nobody reports here.
    one.writtenBytes += 100;
    expect(one.write(1_000)).toBe('ok');
    one.take(1_100);
  }
});

test('a chunk that waits for many counts once for all together', () => {
  const { policy, outlet } = setUp();
  const outlets = Array.from({ length: 50 }, outlet);
  const shared = new Uint8Array(9_000);
  for (const one of outlets) expect(one.write(shared)).toBe('ok');
  expect(policy.bufferedBytes).toBe(9_000 + 50 * CHUNK_OVERHEAD_BYTES);
  expect(outlets.flatMap(({ events }) => events)).toEqual([]);
  for (const one of outlets.slice(1)) one.take(9_000);
  for (const one of outlets.slice(1)) policy.forget(one);
  expect(policy.bufferedBytes).toBe(9_000 + CHUNK_OVERHEAD_BYTES);
});

test('the total limit takes who has waited longest, not the largest burst', () => {
  const { outlet, turn, policy } = setUp(TOTAL);
  const [honest, neverReader, burst] = [outlet(), outlet(), outlet()];
  honest.write(9_000);
  neverReader.write(8_000);
  for (let second = 0; second < 3; second++) {
    honest.take(200);
    turn(1);
  }
  expect(burst.write(10_000)).toBe('ok');
  expect(burst.write(10_000)).toBe('ok');
  expect([honest, neverReader, burst].map(({ events }) => events)).toEqual([[], ['cut'], []]);
  expect(policy.bufferedBytes).toBe(29_000 + 3 * CHUNK_OVERHEAD_BYTES);
});

test('a trickle does not save a client that has waited long', () => {
  const { outlet, turn } = setUp(TOTAL);
  const [trickle, honest, burst] = [outlet(), outlet(), outlet()];
  trickle.write(5_000);
  honest.write(9_000);
  for (let second = 0; second < 4; second++) {
    trickle.take(1);
    honest.take(100);
    turn(1);
  }
  burst.write(9_000);
  burst.write(10_000);
  expect([trickle, honest, burst].map(({ events }) => events)).toEqual([['cut'], [], []]);
});

test('only as many are cut as is needed', () => {
  const { outlet, turn } = setUp(TOTAL);
  const old = Array.from({ length: 4 }, () => {
    const one = outlet();
    one.write(6_000);
    turn(1);
    return one;
  });
  outlet().write(7_000);
  expect(old.map(({ events }) => events)).toEqual([['cut'], [], [], []]);
});

test('what clients have read meanwhile is noticed before anybody is cut', () => {
  const { policy, outlet } = setUp(TOTAL);
  const outlets = Array.from({ length: 3 }, outlet);
  for (const one of outlets) one.write(10_000);
  for (const one of outlets) one.take(9_990);
  for (const one of outlets) expect(one.write(1)).toBe('ok');
  for (const one of outlets) one.take(10);
  expect(outlet().write(9_000)).toBe('ok');
  expect(outlets.flatMap(({ events }) => events)).toEqual([]);
  expect(policy.bufferedBytes).toBe(9_003 + 4 * CHUNK_OVERHEAD_BYTES);
});

test('memory counts until it is free, and not only until the network has what was in it', () => {
  const { policy, outlet } = setUp();
  const one = outlet();
  one.write(4_000);
  one.write(4_000);
  one.take(5_000);
  one.unfreedBytes = 5_000;
  expect(policy.bufferedBytes).toBe(8_000 + 2 * CHUNK_OVERHEAD_BYTES);
  one.unfreedBytes = 1_000;
  expect(policy.bufferedBytes).toBe(4_000 + CHUNK_OVERHEAD_BYTES);
});

test('who has caught up, or is gone, is forgotten, and then nothing waits on the wheel', () => {
  const { policy, wheel, outlet } = setUp();
  const [reader, gone] = [outlet(), outlet()];
  reader.write(50);
  gone.write(50);
  expect(policy.congested).toBe(2);
  reader.take(50);
  policy.forget(gone);
  policy.forget(gone);
  wheel.tick();
  expect(policy.congested).toBe(0);
  expect(policy.bufferedBytes).toBe(0);
  expect(wheel.waiting).toBe(0);
});
