import { describe, expect, test } from 'vitest';
import type { PublishAnswer } from './outbox.ts';
import { PendingAnswers } from './pending-answers.ts';

function answer(): PublishAnswer {
  return { accepted: () => {}, failed: () => {} };
}

describe('PendingAnswers', () => {
  test('gives each answer out once', () => {
    const answers = new PendingAnswers();
    const [first, second] = [answer(), answer()];
    answers.add(1, first, 10);
    answers.add(2, second, 10);
    expect(answers.take(2)).toBe(second);
    expect(answers.take(2)).toBeUndefined();
    expect(answers.take(3)).toBeUndefined();
    expect(answers.size).toBe(1);
    expect(answers.takeAll()).toEqual([first]);
    expect(answers.size).toBe(0);
  });

  test('gives out those whose time is over, the oldest first, and keeps the others', () => {
    const answers = new PendingAnswers();
    const [first, second, third] = [answer(), answer(), answer()];
    answers.add(7, first, 10);
    answers.add(8, second, 20);
    answers.add(9, third, 30);
    expect(answers.takeExpired(9)).toEqual([]);
    const expired = answers.takeExpired(20);
    expect(expired[0]).toBe(first);
    expect(expired[1]).toBe(second);
    expect(expired).toHaveLength(2);
    expect(answers.take(7)).toBeUndefined();
    expect(answers.take(9)).toBe(third);
  });
});
