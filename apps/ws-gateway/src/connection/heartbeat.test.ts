import { expect, test } from 'vitest';
import { firstHeard, heartbeatVerdict } from './heartbeat.ts';

const TICKS = { interval: 25, timeout: 10 };

test('a client that was heard is checked again at the end of the interval', () => {
  expect(heartbeatVerdict(100, { heard: 100, sent: 100, asked: 90 }, TICKS)).toBe(25);
  expect(heartbeatVerdict(124, { heard: 100, sent: 124, asked: 90 }, TICKS)).toBe(1);
});

test('a silent client gets a ping, and any message in time is an answer', () => {
  expect(heartbeatVerdict(125, { heard: 100, sent: 125, asked: 90 }, TICKS)).toBe('ping');
  expect(heartbeatVerdict(130, { heard: 100, sent: 130, asked: 125 }, TICKS)).toBe(5);
  expect(heartbeatVerdict(135, { heard: 125, sent: 135, asked: 125 }, TICKS)).toBe(15);
  expect(heartbeatVerdict(135, { heard: 134, sent: 135, asked: 125 }, TICKS)).toBe(24);
});

test('a client that does not answer is closed', () => {
  expect(heartbeatVerdict(134, { heard: 100, sent: 134, asked: 125 }, TICKS)).toBe(1);
  expect(heartbeatVerdict(135, { heard: 100, sent: 135, asked: 125 }, TICKS)).toBe('no_answer');
});

test('the first ping is at a random time within the interval, never at once', () => {
  const waits = [0, 0.25, 0.5, 0.999_999].map((random) => {
    const heard = firstHeard(0, random, TICKS);
    return heartbeatVerdict(0, { heard, sent: 0, asked: heard - 1 }, TICKS);
  });
  expect(waits).toEqual([25, 19, 13, 1]);
});

test('a client that gets no messages gets a ping, and answers it by any message', () => {
  expect(heartbeatVerdict(124, { heard: 124, sent: 100, asked: 90 }, TICKS)).toBe(1);
  expect(heartbeatVerdict(125, { heard: 125, sent: 100, asked: 90 }, TICKS)).toBe('ping');
  expect(heartbeatVerdict(126, { heard: 126, sent: 125, asked: 125 }, TICKS)).toBe(24);
});
