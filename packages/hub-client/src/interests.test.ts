import type { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { Recorder } from '../testing/recorder.ts';
import { type Interest, Interests } from './interests.ts';

const POSITION = { epoch: 'e', offset: 0 };

function publication(channel: string, offset: number): native.Publication {
  return {
    channel,
    kind: 'text',
    excludeSender: false,
    sender: '',
    messageId: '',
    payload: new Uint8Array(0),
    number: offset,
  };
}

function follow(interests: Interests, name: string, prefix: boolean, ...recorders: Recorder[]): Interest {
  const interest = interests.add({ name, prefix });
  interest.position = POSITION;
  for (const recorder of recorders) interest.subscribers.add(recorder);
  return interest;
}

describe('Interests', () => {
  test('holds a channel and a prefix of the same name apart, and each once', () => {
    const interests = new Interests();
    const channel = interests.add({ name: 'a', prefix: false });
    const prefix = interests.add({ name: 'a', prefix: true });
    expect(prefix).not.toBe(channel);
    expect(interests.add({ name: 'a', prefix: false })).toBe(channel);
    expect(interests.find({ name: 'a', prefix: true })).toBe(prefix);
    expect(interests.size).toBe(2);
    interests.remove(channel);
    expect(interests.find({ name: 'a', prefix: false })).toBeUndefined();
    expect(interests.size).toBe(1);
  });

  test('takes names that every object has for names like any other', () => {
    const interests = new Interests();
    expect(interests.find({ name: '__proto__', prefix: false })).toBeUndefined();
    expect(interests.find({ name: 'constructor', prefix: false })).toBeUndefined();
    interests.add({ name: '__proto__', prefix: false });
    expect(interests.size).toBe(1);
  });

  test('delivers by name and by prefix, and moves the position of the channel', () => {
    const interests = new Interests();
    const [byName, byPrefix, other] = [new Recorder(), new Recorder(), new Recorder()];
    const interest = follow(interests, 'group:1', false, byName);
    const prefix = follow(interests, 'group:', true, byPrefix);
    follow(interests, 'group:10', false, other);
    interests.deliver(publication('group:1', 5));
    interests.deliver(publication('group:2', 9));
    expect(byName.events.all).toEqual(['group:1 5 ']);
    expect(byPrefix.events.all).toEqual(['group:1 5 ', 'group:2 9 ']);
    expect(other.events.all).toEqual([]);
    expect(interest.position).toEqual({ epoch: 'e', offset: 5 });
    expect(prefix.position).toEqual(POSITION);
  });

  test('delivers nothing while a subscription is not live', () => {
    const interests = new Interests();
    const recorder = new Recorder();
    follow(interests, 'a', false, recorder);
    interests.suspend();
    interests.deliver(publication('a', 1));
    expect(recorder.events.all).toEqual([]);
  });

  test('goes on when subscribers come and go during a delivery', () => {
    const interests = new Interests();
    const [leaver, stayer] = [new Recorder(), new Recorder()];
    const interest = follow(interests, 'a', false);
    interest.subscribers.add({
      deliver: () => {
        interest.subscribers.delete(leaver);
      },
    });
    interest.subscribers.add(leaver).add(stayer);
    interests.deliver(publication('a', 1));
    expect(leaver.events.all).toEqual([]);
    expect(stayer.events.all).toEqual(['a 1 ']);
  });

  test('cuts everything into portions of 1,024 at most', () => {
    const interests = new Interests();
    expect([...interests.batches()]).toEqual([]);
    for (let index = 0; index < 1_500; index++) interests.add({ name: `c${index}`, prefix: false });
    for (let index = 0; index < 548; index++) interests.add({ name: `p${index}`, prefix: true });
    const batches = [...interests.batches()];
    expect(batches.map((batch) => batch.length)).toEqual([1_024, 1_024]);
    expect(new Set(batches.flat()).size).toBe(2_048);
    interests.add({ name: 'one more', prefix: false });
    expect([...interests.batches()].map((batch) => batch.length)).toEqual([1_024, 1_024, 1]);
  });

  test('knows what of a request was refused, once, and what to ask for again', () => {
    const interests = new Interests();
    const [a, b, c, gone] = ['a', 'b', 'c', 'gone'].map((name) => interests.add({ name, prefix: false }));
    interests.ask(4, [a!, b!, gone!]);
    interests.ask(5, [c!]);
    interests.remove(gone!);
    expect(interests.refuse(4)).toEqual([a, b]);
    expect(interests.refuse(4)).toEqual([]);
    expect(interests.toAskAgain(10)).toEqual([a, b]);
    expect(interests.toAskAgain(1)).toEqual([a]);
    interests.ask(6, [a!]);
    expect(interests.toAskAgain(10)).toEqual([b]);
    expect(interests.refuse(6)).toEqual([]);
    expect(interests.toAskAgain(10)).toEqual([b, a]);
    interests.ask(7, [a!]);
    expect(interests.settle(6, { name: 'a', prefix: false, position: POSITION })).toBeUndefined();
    expect(interests.settle(7, { name: 'a', prefix: false, position: POSITION })).toBe(a);
    interests.remove(b!);
    expect(interests.toAskAgain(10)).toEqual([]);
    interests.refuse(5);
    interests.suspend();
    expect(interests.toAskAgain(10)).toEqual([]);
  });
});
