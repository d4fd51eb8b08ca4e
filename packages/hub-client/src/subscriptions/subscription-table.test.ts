import { describe, expect, test } from 'vitest';
import { batchesOf, SubscriptionTable } from './subscription-table.ts';

function channel(name: string): { name: string; prefix: boolean } {
  return { name, prefix: false };
}

describe('Interests', () => {
  test('holds a channel and a prefix of the same name apart, and each once', () => {
    const interests = new SubscriptionTable();
    const exact = interests.add(channel('a'));
    const prefix = interests.add({ name: 'a', prefix: true });
    expect(prefix).not.toBe(exact);
    expect(interests.add(channel('a'))).toBe(exact);
    expect(interests.find({ name: 'a', prefix: true })).toBe(prefix);
    expect(interests.all()).toEqual([exact, prefix]);
    expect(interests.size).toBe(2);
    interests.remove(exact);
    expect(interests.find(channel('a'))).toBeUndefined();
    expect(interests.size).toBe(1);
    interests.clear();
    expect(interests.size).toBe(0);
  });

  test('takes names that every object has for names like any other', () => {
    const interests = new SubscriptionTable();
    expect(interests.find(channel('__proto__'))).toBeUndefined();
    expect(interests.find(channel('constructor'))).toBeUndefined();
    interests.add(channel('__proto__'));
    expect(interests.size).toBe(1);
  });

  test('suspends what is known, and leaves alone what is new', () => {
    const interests = new SubscriptionTable();
    const states = (['new', 'live', 'recovering', 'suspended'] as const).map((state) => {
      const interest = interests.add(channel(state));
      interest.state = state;
      return interest;
    });
    interests.suspend();
    expect(states.map(({ state }) => state)).toEqual(['new', 'suspended', 'suspended', 'suspended']);
  });

  test('cuts everything into portions of 1,024 at most', () => {
    const interests = new SubscriptionTable();
    expect([...batchesOf(interests.all())]).toEqual([]);
    for (let index = 0; index < 1_500; index++) interests.add(channel(`c${index}`));
    for (let index = 0; index < 548; index++) interests.add({ name: `p${index}`, prefix: true });
    const batches = [...batchesOf(interests.all())];
    expect(batches.map((batch) => batch.length)).toEqual([1_024, 1_024]);
    expect(new Set(batches.flat()).size).toBe(2_048);
    interests.add(channel('one more'));
    expect([...batchesOf(interests.all())].map((batch) => batch.length)).toEqual([1_024, 1_024, 1]);
  });

  test('goes round all channels, whatever comes and goes', () => {
    const interests = new SubscriptionTable();
    const namesOf = (count: number): string[] =>
      interests.nextChannels(count).map(({ subject }) => subject.name);
    expect(namesOf(5)).toEqual([]);
    const [, b] = ['a', 'b', 'c'].map((name) => interests.add(channel(name)));
    interests.add({ name: 'prefix', prefix: true });
    expect(namesOf(0)).toEqual([]);
    expect(namesOf(2)).toEqual(['a', 'b']);
    expect(namesOf(2)).toEqual(['c', 'a']);
    interests.remove(b!);
    interests.add(channel('d'));
    expect(namesOf(3)).toEqual(['c', 'd', 'a']);
    expect(namesOf(10)).toEqual(['c', 'd', 'a']);
  });

  test('knows what was refused, once, and what to ask for again', () => {
    const interests = new SubscriptionTable();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => interests.add(channel(name)));
    interests.ask(4, [a!]);
    interests.ask(5, [b!]);
    interests.ask(6, [c!]);
    expect(interests.refuse(4)).toBe(a);
    expect(interests.refuse(4)).toBeUndefined();
    expect(interests.refuse(5)).toBe(b);
    expect(interests.toAskAgain(10)).toEqual([a, b]);
    expect(interests.toAskAgain(1)).toEqual([a]);
    interests.ask(7, [a!]);
    expect(interests.toAskAgain(10)).toEqual([b]);
    expect(interests.refuse(7)).toBeUndefined();
    expect(interests.toAskAgain(10)).toEqual([b, a]);
    interests.ask(8, [a!]);
    expect(interests.settle(7, channel('a'))).toBeUndefined();
    expect(interests.settle(8, channel('a'))).toBe(a);
    interests.remove(b!);
    expect(interests.toAskAgain(10)).toEqual([]);
    interests.refuse(6);
    interests.suspend();
    expect(interests.toAskAgain(10)).toEqual([]);
  });

  test('asks alone for each of several that were refused together, a few at a time', () => {
    const interests = new SubscriptionTable();
    const [a, b, c, gone, known] = ['a', 'b', 'c', 'gone', 'known'].map((name) =>
      interests.add(channel(name)),
    );
    interests.ask(1, [a!, b!, c!, gone!, known!]);
    interests.remove(gone!);
    interests.settle(1, channel('known'));
    expect(interests.refuse(1)).toBeUndefined();
    expect(interests.toAskAgain(10)).toEqual([]);
    expect(interests.takeDoubtful(2)).toEqual([a, b]);
    interests.ask(2, [a!]);
    interests.ask(3, [b!]);
    expect(interests.takeDoubtful(2)).toEqual([]);
    interests.settle(2, channel('a'));
    expect(interests.takeDoubtful(2)).toEqual([c]);
    expect(interests.takeDoubtful(2)).toEqual([]);
    expect(interests.refuse(3)).toBe(b);
  });

  test('what the hub follows is not refused when it only was to say where that stands', () => {
    const interests = new SubscriptionTable();
    const a = interests.add(channel('a'));
    a.state = 'live';
    interests.ask(1, [a]);
    expect(interests.refuse(1)).toBeUndefined();
    expect([interests.isAsked(a), interests.toAskAgain(10), interests.takeDoubtful(10)]).toEqual([
      false,
      [],
      [],
    ]);
  });

  test('waits no longer for the answer to a request when it has asked anew', () => {
    const interests = new SubscriptionTable();
    const a = interests.add(channel('a'));
    interests.ask(1, [a]);
    interests.ask(2, [a]);
    expect(interests.refuse(1)).toBeUndefined();
    expect(interests.settle(1, channel('a'))).toBeUndefined();
    expect(interests.settle(2, channel('a'))).toBe(a);
  });
});
