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

/** Total limit that tests reach. */
const TOTAL: Partial<BufferLimits> = { clientBufferTotalBytes: 32_000 };

/** A connection whose client reads bytes on demand. */
class FakeOutlet implements WritableConnection {
  writtenBytes = 0;
  sentBytes = 0;
  /** Sent bytes at the front whose memory is not free yet. */
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

test('a client that reads nothing is slow after the time, with any buffer', () => {
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
])('a client that reads %i bytes per second, at a minimum of 100: %j', (bytes, events) => {
  const { outlet, turn } = setUp();
  const one = outlet();
  one.write(9_000);
  for (let second = 0; second < 5; second++) {
    one.take(bytes);
    turn(1);
  }
  expect(one.events).toEqual(events);
});

test('the window slides: bytes that were read long ago do not count', () => {
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

test('a long frame does not make a client slow while it reads it, even where the socket holds all of it', () => {
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

test('a client whose buffer was empty meanwhile has the whole time again', () => {
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

test('with a rate of 0 no client is slow by its rate', () => {
  const { outlet, turn } = setUp({ slowBytesPerSecond: 0 });
  const one = outlet();
  one.write(9_000);
  turn(100);
  expect(one.events).toEqual([]);
});

test('a write above the limit behind the current chunk makes a client slow at once', () => {
  const { outlet } = setUp();
  const one = outlet();
  expect(one.write(5_000)).toBe('ok');
  expect(one.write(10_000)).toBe('ok');
  expect(one.write(1)).toBe('slow');
});

test('bytes that a client has read meanwhile no longer count', () => {
  const { outlet } = setUp();
  const one = outlet();
  one.write(5_000);
  one.write(10_000);
  // The second one is the current chunk now.
  one.take(5_001);
  expect(one.write(10_000)).toBe('ok');
  expect(one.write(1)).toBe('slow');
});

test('one long frame does not make a client slow: in front, behind others, or before others', () => {
  const { outlet } = setUp();
  const one = outlet();
  expect(one.write(50_000)).toBe('ok');
  expect(one.write(60_000)).toBe('ok');
  expect(one.write(10_000)).toBe('ok');
  expect(one.write(1)).toBe('slow');
});

test('a second long frame behind another makes a client slow', () => {
  const { outlet } = setUp();
  const one = outlet();
  expect(one.write(1)).toBe('ok');
  expect(one.write(10_001)).toBe('ok');
  expect(one.write(10_001)).toBe('slow');
});

test('long frames one after another reach a client that reads them in time', () => {
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

test('frames that the socket writes by itself do not make a client slow over time', () => {
  const { outlet } = setUp();
  const one = outlet();
  one.write(1_000);
  for (let count = 0; count < 1_000; count++) {
    // Pongs, which are not reported here.
    one.writtenBytes += 100;
    expect(one.write(1_000)).toBe('ok');
    one.take(1_100);
  }
});

test('a chunk that is buffered for many clients counts once in the total', () => {
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

test('the total limit cuts the client that is furthest behind, not the largest burst', () => {
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

test('a few bytes do not save a client that is far behind', () => {
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

test('only as many clients are cut as needed', () => {
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

test('bytes that clients have read meanwhile count before a client is cut', () => {
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

test('memory counts until it is free, and not only until it is sent', () => {
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

test('a client with an empty buffer, or a closed one, is forgotten, and the wheel is empty', () => {
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
