import { expect, test } from 'vitest';
import { TimingWheel } from '../timing-wheel.ts';
import { Backpressure, type Outlet } from './backpressure.ts';

const LIMITS = { queueBytesMax: 1_000, queueBytesSoft: 100, queueSoftMs: 5_000, queueBytesTotalMax: 3_000 };

class FakeOutlet implements Outlet {
  queuedBytes = 0;
  events: string[] = [];
  #policy: Backpressure;

  constructor(policy: Backpressure) {
    this.#policy = policy;
  }

  tooSlow(): void {
    this.events.push('slow');
  }

  cut(): void {
    this.events.push('cut');
    this.queuedBytes = 0;
  }

  queue(bytes: number): 'ok' | 'slow' {
    this.queuedBytes = bytes;
    return this.#policy.wrote(this);
  }
}

function setUp(): { policy: Backpressure; wheel: TimingWheel; outlet: () => FakeOutlet } {
  const wheel = new TimingWheel();
  const policy = new Backpressure(LIMITS, wheel);
  return { policy, wheel, outlet: () => new FakeOutlet(policy) };
}

test('the hard limit holds at the very write that crosses it', () => {
  const { outlet } = setUp();
  const one = outlet();
  expect(one.queue(1_000)).toBe('ok');
  expect(one.queue(1_001)).toBe('slow');
});

test('more than the soft limit is suffered for its time and not longer', () => {
  const { wheel, outlet } = setUp();
  const one = outlet();
  one.queue(101);
  for (let tick = 0; tick < 4; tick++) wheel.tick();
  expect(one.events).toEqual([]);
  wheel.tick();
  expect(one.events).toEqual(['slow']);
});

test('a queue that falls below the soft limit meanwhile gets the whole time again', () => {
  const { wheel, outlet } = setUp();
  const one = outlet();
  one.queue(500);
  for (let tick = 0; tick < 4; tick++) wheel.tick();
  one.queuedBytes = 100;
  wheel.tick();
  one.queue(500);
  for (let tick = 0; tick < 4; tick++) wheel.tick();
  expect(one.events).toEqual([]);
  wheel.tick();
  expect(one.events).toEqual(['slow']);
});

test('the total limit cuts the largest queues first, and only as many as needed', () => {
  const { policy, outlet } = setUp();
  const [small, large, middle] = [outlet(), outlet(), outlet()];
  const last = outlet();
  small.queue(600);
  large.queue(1_000);
  middle.queue(900);
  expect(policy.queuedBytes).toBe(2_500);
  expect(last.queue(700)).toBe('ok');
  expect([small, large, middle, last].map(({ events }) => events)).toEqual([[], ['cut'], [], []]);
  expect(policy.queuedBytes).toBe(2_200);
});

test('what clients have read meanwhile is noticed before anybody is cut', () => {
  const { policy, outlet } = setUp();
  const outlets = [outlet(), outlet(), outlet()];
  for (const one of outlets) one.queue(990);
  for (const one of outlets) one.queuedBytes = 10;
  expect(outlet().queue(900)).toBe('ok');
  expect(outlets.flatMap(({ events }) => events)).toEqual([]);
  expect(policy.queuedBytes).toBe(930);
});

test('who has caught up, or is gone, is forgotten, and then nothing waits on the wheel', () => {
  const { policy, wheel, outlet } = setUp();
  const [reader, gone] = [outlet(), outlet()];
  reader.queue(50);
  gone.queue(50);
  expect(policy.congested).toBe(2);
  reader.queuedBytes = 0;
  policy.forget(gone);
  policy.forget(gone);
  wheel.tick();
  expect(policy.congested).toBe(0);
  expect(policy.queuedBytes).toBe(0);
  expect(wheel.waiting).toBe(0);
});
