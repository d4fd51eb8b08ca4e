import { expect, test } from 'vitest';
import { OpenLoop } from './open-loop.ts';

/** Runs a loop to its end and returns the messages: group and due time. */
function sendAll(options: {
  rate: number;
  messages: number;
  nowUs?: () => number;
}): Promise<[number, number][]> {
  return new Promise((resolve) => {
    const sent: [number, number][] = [];
    new OpenLoop({
      groups: [5, 6],
      nowUs: () => performance.now() * 1_000,
      publish: (group, dueUs) => sent.push([group, dueUs]),
      onFinished: () => resolve(sent),
      ...options,
    }).start();
  });
}

test('messages are due at even intervals, never sent early, round-robin over the groups', async () => {
  const early: number[] = [];
  const sent: [number, number][] = [];
  await new Promise<void>((resolve) => {
    new OpenLoop({
      groups: [5, 6],
      rate: 500,
      messages: 20,
      nowUs: () => performance.now() * 1_000,
      publish: (group, dueUs) => {
        sent.push([group, dueUs]);
        if (dueUs > performance.now() * 1_000) early.push(dueUs);
      },
      onFinished: resolve,
    }).start();
  });
  const startUs = sent[0]?.[1] ?? 0;
  expect(sent.map(([group]) => group)).toEqual(Array.from({ length: 20 }, (_, index) => 5 + (index % 2)));
  expect(sent.map(([, dueUs]) => Math.round(dueUs - startUs))).toEqual(
    Array.from({ length: 20 }, (_, index) => index * 2_000),
  );
  expect(early).toEqual([]);
});

test('a late message is sent at once, with its due time', async () => {
  // A clock that stands still for the first read and is a second further at the next.
  let looks = 0;
  const nowUs = (): number => (looks++ === 0 ? 0 : 1_000_000);
  const sent = await sendAll({ rate: 10, messages: 5, nowUs });
  expect(sent.map(([, dueUs]) => dueUs)).toEqual([0, 100_000, 200_000, 300_000, 400_000]);
});
