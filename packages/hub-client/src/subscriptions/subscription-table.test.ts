import { describe, expect, test } from 'vitest';
import { batchesOf, SubscriptionTable } from './subscription-table.ts';

function channel(name: string): { name: string; prefix: boolean } {
  return { name, prefix: false };
}

describe('SubscriptionTable', () => {
  test('keeps a channel and a prefix of the same name apart, and each once', () => {
    const table = new SubscriptionTable();
    const exact = table.add(channel('a'));
    const prefix = table.add({ name: 'a', prefix: true });
    expect(prefix).not.toBe(exact);
    expect(table.add(channel('a'))).toBe(exact);
    expect(table.find({ name: 'a', prefix: true })).toBe(prefix);
    expect(table.all()).toEqual([exact, prefix]);
    expect(table.size).toBe(2);
    table.remove(exact);
    expect(table.find(channel('a'))).toBeUndefined();
    expect(table.size).toBe(1);
    table.clear();
    expect(table.size).toBe(0);
  });

  test('accepts the names of Object.prototype like any other', () => {
    const table = new SubscriptionTable();
    expect(table.find(channel('__proto__'))).toBeUndefined();
    expect(table.find(channel('constructor'))).toBeUndefined();
    table.add(channel('__proto__'));
    expect(table.size).toBe(1);
  });

  test('suspends known subscriptions, and leaves new ones alone', () => {
    const table = new SubscriptionTable();
    const states = (['new', 'live', 'recovering', 'suspended'] as const).map((state) => {
      const subscription = table.add(channel(state));
      subscription.state = state;
      return subscription;
    });
    table.suspend();
    expect(states.map(({ state }) => state)).toEqual(['new', 'suspended', 'suspended', 'suspended']);
  });

  test('splits subscriptions into batches of at most 1,024', () => {
    const table = new SubscriptionTable();
    expect([...batchesOf(table.all())]).toEqual([]);
    for (let index = 0; index < 1_500; index++) table.add(channel(`c${index}`));
    for (let index = 0; index < 548; index++) table.add({ name: `p${index}`, prefix: true });
    const batches = [...batchesOf(table.all())];
    expect(batches.map((batch) => batch.length)).toEqual([1_024, 1_024]);
    expect(new Set(batches.flat()).size).toBe(2_048);
    table.add(channel('one more'));
    expect([...batchesOf(table.all())].map((batch) => batch.length)).toEqual([1_024, 1_024, 1]);
  });

  test('checks all channels in rounds, whatever is added and removed', () => {
    const table = new SubscriptionTable();
    const namesOf = (count: number): string[] => table.nextChannels(count).map(({ subject }) => subject.name);
    expect(namesOf(5)).toEqual([]);
    const [, b] = ['a', 'b', 'c'].map((name) => table.add(channel(name)));
    table.add({ name: 'prefix', prefix: true });
    expect(namesOf(0)).toEqual([]);
    expect(namesOf(2)).toEqual(['a', 'b']);
    expect(namesOf(2)).toEqual(['c', 'a']);
    table.remove(b!);
    table.add(channel('d'));
    expect(namesOf(3)).toEqual(['c', 'd', 'a']);
    expect(namesOf(10)).toEqual(['c', 'd', 'a']);
  });

  test('returns a rejected subscription once, and those to retry', () => {
    const table = new SubscriptionTable();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => table.add(channel(name)));
    const forA = table.addRequest(4, [a!]);
    const forB = table.addRequest(5, [b!]);
    const forC = table.addRequest(6, [c!]);
    expect(table.reject(forA)).toBe(a);
    expect(table.reject(forA)).toBeUndefined();
    expect(table.reject(forB)).toBe(b);
    expect(table.toRetry(10)).toEqual([a, b]);
    expect(table.toRetry(1)).toEqual([a]);
    const again = table.addRequest(7, [a!]);
    expect(table.toRetry(10)).toEqual([b]);
    expect(table.reject(again)).toBeUndefined();
    expect(table.toRetry(10)).toEqual([b, a]);
    table.addRequest(8, [a!]);
    expect(table.accept(7, channel('a'))).toBeUndefined();
    expect(table.accept(8, channel('a'))).toBe(a);
    table.remove(b!);
    expect(table.toRetry(10)).toEqual([]);
    table.reject(forC);
    table.suspend();
    expect(table.toRetry(10)).toEqual([]);
  });

  test('requests each of several that were rejected together by itself, a few at a time', () => {
    const table = new SubscriptionTable();
    const [a, b, c, gone, known] = ['a', 'b', 'c', 'gone', 'known'].map((name) => table.add(channel(name)));
    const together = table.addRequest(1, [a!, b!, c!, gone!, known!]);
    table.remove(gone!);
    table.accept(1, channel('known'));
    expect(table.reject(together)).toBeUndefined();
    expect(table.toRetry(10)).toEqual([]);
    expect(table.takeDoubtful(2)).toEqual([a, b]);
    table.addRequest(2, [a!]);
    const forB = table.addRequest(3, [b!]);
    expect(table.takeDoubtful(2)).toEqual([]);
    table.accept(2, channel('a'));
    expect(table.takeDoubtful(2)).toEqual([c]);
    expect(table.takeDoubtful(2)).toEqual([]);
    expect(table.reject(forB)).toBe(b);
  });

  test('a subscription that the hub delivers is not rejected when only its position was requested', () => {
    const table = new SubscriptionTable();
    const a = table.add(channel('a'));
    a.state = 'live';
    expect(table.reject(table.addRequest(1, [a]))).toBeUndefined();
    expect([a.request, table.toRetry(10), table.takeDoubtful(10)]).toEqual([undefined, [], []]);
  });

  test('ignores the answer to a request after a newer one', () => {
    const table = new SubscriptionTable();
    const a = table.add(channel('a'));
    const outdated = table.addRequest(1, [a]);
    table.addRequest(2, [a]);
    expect(table.reject(outdated)).toBeUndefined();
    expect(table.accept(1, channel('a'))).toBeUndefined();
    expect(table.accept(2, channel('a'))).toBe(a);
  });
});
