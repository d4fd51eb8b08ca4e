import { native } from '@groupcast/protocol';
import { EventQueue } from '@groupcast/testkit';
import { describe, expect, test } from 'vitest';
import type { HubClient } from '../src/hub-client.ts';
import type { HubClientEvents } from '../src/hub-client-events.ts';
import { delivery, subscribed } from '../testing/fake-hub.ts';
import { nextState, Recorder, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();

function refusalsOf(client: HubClient): EventQueue<HubClientEvents['rejected']> {
  const refusals = new EventQueue<HubClientEvents['rejected']>('refusal');
  client.on('rejected', (...refusal) => refusals.push(refusal));
  return refusals;
}

describe('subscribe', () => {
  test('notifies of the position first, then delivers', async () => {
    const [client, session] = await fixture.open();
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    const subscribe = await session.expect('subscribe');
    session.send(subscribed(subscribe, 41), delivery('a', 42, 'x'), delivery('a', 43, 'y'));
    await recorder.events.seen((event) => event === 'a 43 y');
    expect(recorder.events.all).toEqual(['at a 41', 'a 42 x', 'a 43 y']);
    expect(client.stats()).toMatchObject({ subjects: 1, delivered: 2 });
  });

  test('returns a handle with the position of the last delivery', async () => {
    const [client, session] = await fixture.open();
    const recorder = new Recorder();
    const subscription = client.subscribe('a', recorder);
    expect(subscription).toMatchObject({ epoch: '', offset: 0 });
    await session.takeSubscribe(3);
    expect(await recorder.events.next()).toBe('at a 3');
    expect(subscription.position).toEqual({ epoch: 'epoch-1', offset: 3 });
    session.send(delivery('a', 4, 'x'));
    expect(await recorder.events.next()).toBe('a 4 x');
    expect(client.subscribe('a', new Recorder())).toMatchObject({ epoch: 'epoch-1', offset: 4 });
  });

  test('sends one request for two subscribers, and notifies the second of the position', async () => {
    const [client, session] = await fixture.open();
    const [first, second] = [new Recorder(), new Recorder()];
    client.subscribe('a', first);
    await session.takeSubscribe(1);
    session.send(delivery('a', 2, 'x'));
    await first.events.seen((event) => event === 'a 2 x');
    client.subscribe('a', second);
    expect(second.events.all).toEqual(['at a 2']);
    session.send(delivery('a', 3, 'y'));
    await second.events.seen((event) => event === 'a 3 y');
    expect(first.events.all).toEqual(['at a 1', 'a 2 x', 'a 3 y']);

    client.unsubscribe('a', first);
    session.send(delivery('a', 4, 'z'));
    await second.events.seen((event) => event === 'a 4 z');
    expect(first.events.all).not.toContain('a 4 z');
    client.unsubscribe('a', second);
    expect(await session.expect('unsubscribe')).toMatchObject({ subjects: [{ name: 'a', prefix: false }] });
    expect(client.stats().subjects).toBe(0);
  });

  test('notifies both when the second was added before the answer', async () => {
    const [client, session] = await fixture.open();
    const [first, second] = [new Recorder(), new Recorder()];
    client.subscribe('a', first);
    client.subscribe('a', second);
    await session.takeSubscribe(7);
    expect(await first.events.next()).toBe('at a 7');
    expect(await second.events.next()).toBe('at a 7');
  });

  test('subscribes to a prefix', async () => {
    const [client, session] = await fixture.open();
    const [recorder, exact] = [new Recorder(), new Recorder()];
    client.subscribePrefix('group:', recorder);
    client.subscribe('group:1', exact);
    const [prefix, channel] = [await session.expect('subscribe'), await session.expect('subscribe')];
    expect(prefix.subjects).toEqual([{ name: 'group:', prefix: true }]);
    session.send(subscribed(prefix), subscribed(channel, 1));
    session.send(delivery('group:1', 2, 'x'), delivery('group:2', 9, 'y'));
    await recorder.events.seen((event) => event === 'group:2 9 y');
    expect(recorder.events.all).toEqual(['at group:* 0', 'group:1 2 x', 'group:2 9 y']);
    expect(exact.events.all).toEqual(['at group:1 1', 'group:1 2 x']);
    client.unsubscribePrefix('group:', recorder);
    expect((await session.expect('unsubscribe')).subjects).toEqual([{ name: 'group:', prefix: true }]);
  });

  test('rejects an invalid name', () => {
    const client = fixture.client();
    expect(() => client.subscribe('', new Recorder())).toThrow('channel name');
    expect(() => client.subscribePrefix('a\0', new Recorder())).toThrow('channel name');
    expect(client.stats().subjects).toBe(0);
  });

  test('a subscriber that is added during a delivery gets an earlier position, and the delivery', async () => {
    const [client, session] = await fixture.open();
    const late = new Recorder();
    client.subscribe('a', { deliver: () => client.subscribe('a', late) });
    await session.takeSubscribe(1);
    session.send(delivery('a', 2, 'x'));
    await late.events.seen((event) => event === 'a 2 x');
    expect(late.events.all).toEqual(['at a 1', 'a 2 x']);
  });
});

describe('unsubscribe', () => {
  test('with an object that is not a subscriber changes nothing', async () => {
    const [client, session] = await fixture.open();
    const [follower, stranger] = [new Recorder(), new Recorder()];
    client.subscribe('a', follower);
    await session.takeSubscribe();
    client.unsubscribe('a', stranger);
    client.unsubscribe('b', follower);
    client.unsubscribePrefix('a', follower);
    client.subscribe('last', follower);
    await session.expect('subscribe');
    expect(client.stats().subjects).toBe(2);
  });

  test('and subscribe in one turn: nothing of the older subscription is delivered', async () => {
    const [client, session] = await fixture.open();
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    await session.takeSubscribe(1);
    await recorder.events.next();
    client.unsubscribe('a', recorder);
    client.subscribe('a', recorder);
    await session.expect('unsubscribe');
    const again = await session.expect('subscribe');
    session.send(delivery('a', 2, 'old'), subscribed(again, 5), delivery('a', 6, 'new'));
    await recorder.events.seen((event) => event === 'a 6 new');
    expect(recorder.events.all).toEqual(['at a 1', 'at a 5', 'a 6 new']);
  });

  test('makes the answer to an earlier request outdated, however late it comes', async () => {
    const [client, session] = await fixture.open();
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    client.unsubscribe('a', recorder);
    client.subscribe('a', recorder);
    const first = await session.expect('subscribe');
    await session.expect('unsubscribe');
    const second = await session.expect('subscribe');
    session.send(subscribed(first, 1), delivery('a', 2, 'old'));
    session.send(subscribed(second, 5), delivery('a', 6, 'new'), subscribed(first, 1));
    session.send(delivery('a', 7, 'newer'));
    await recorder.events.seen((event) => event === 'a 7 newer');
    expect(recorder.events.all).toEqual(['at a 5', 'a 6 new', 'a 7 newer']);
  });

  test('while disconnected: the channel is not requested again', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const recorder = new Recorder();
    client.subscribe('kept', recorder);
    client.subscribe('dropped', recorder);
    session.raw.end();
    await nextState(states, 'waiting');
    client.unsubscribe('dropped', recorder);
    const again = await fixture.hub.welcome();
    expect((await again.takeSubscribe()).subjects).toEqual([{ name: 'kept', prefix: false }]);
  });
});

describe('after a reconnect', () => {
  test('2,500 subjects are requested again in frames of at most 1,024, without a notification', async () => {
    const client = fixture.client();
    const recorder = new Recorder();
    const names = Array.from({ length: 2_499 }, (_, index) => `channel-${index}`);
    for (const name of names) client.subscribe(name, recorder);
    client.subscribePrefix('prefix-', recorder);
    client.connect();

    for (let connections = 0; connections < 2; connections++) {
      const session = await fixture.hub.welcome();
      const sizes: number[] = [];
      const asked = new Set<string>();
      for (let frames = 0; frames < 3; frames++) {
        const { subjects } = await session.takeSubscribe(3);
        sizes.push(subjects.length);
        for (const { name } of subjects) asked.add(name);
      }
      expect(sizes).toEqual([1_024, 1_024, 452]);
      expect(asked).toEqual(new Set([...names, 'prefix-']));
      session.send(delivery('prefix-1', connections, 'behind the answers'));
      await recorder.events.seen((event) => event === `prefix-1 ${connections} behind the answers`);
      session.raw.reset();
    }
    const told = [...names.map((name) => `at ${name} 3`), 'at prefix-* 0'];
    const delivered = [0, 1].map((number) => `prefix-1 ${number} behind the answers`);
    expect(recorder.events.all).toEqual([...told, ...delivered]);
    expect(client.stats()).toMatchObject({ subjects: 2_500, recoveries: 0, historyReads: 0 });
  });

  test('publications before the hub has answered again are not delivered', async () => {
    const [client, session] = await fixture.open();
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    await session.takeSubscribe(1);
    await recorder.events.next();
    const again = await (await fixture.restart()).welcome();
    const subscribe = await again.expect('subscribe');
    // The second has the next offset, but its history is not known yet.
    again.send(delivery('a', 3, 'early'), delivery('a', 2, 'early'));
    again.send(subscribed(subscribe, 1), delivery('a', 2, 'live'));
    await recorder.events.seen((event) => event === 'a 2 live');
    expect(recorder.events.all).toEqual(['at a 1', 'a 2 live']);
  });
});

describe('a rejected subscription', () => {
  test('is notified with its subject, and requested again after a reconnect', async () => {
    const [client, session] = await fixture.open();
    const refusals = refusalsOf(client);
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    const { request } = await session.expect('subscribe');
    session.send(native.encodeError({ request, code: 'channel_limit', message: 'Too many.' }));
    const [subject, error] = await refusals.next();
    expect(subject).toEqual({ name: 'a', prefix: false });
    expect(await recorder.events.next()).toBe('rejected a channel_limit');
    expect(client.stats().subscriptionsRejected).toBe(1);
    expect(error).toMatchObject({ code: 'channel_limit', message: 'Too many.' });
    expect(client.state).toBe('open');
    session.send(delivery('a', 1, 'unasked'));
    session.raw.end();
    const again = await fixture.hub.welcome();
    await again.takeSubscribe(4);
    expect(await recorder.events.next()).toBe('at a 4');
  });

  test('is notified once, and requested again until the hub accepts it', async () => {
    const [client, session] = await fixture.open({ bufferMs: 40 });
    const refusals = refusalsOf(client);
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    for (let round = 0; round < 3; round++) {
      const { request, subjects } = await session.expect('subscribe');
      expect(subjects).toEqual([{ name: 'a', prefix: false }]);
      session.send(native.encodeError({ request, code: 'channel_limit', message: '' }));
    }
    await session.takeSubscribe(4);
    expect(await recorder.events.next()).toBe('rejected a channel_limit');
    expect(await recorder.events.next()).toBe('at a 4');
    session.send(delivery('a', 5, 'at last'));
    expect(await recorder.events.next()).toBe('a 5 at last');
    expect(refusals.all).toHaveLength(1);
  });

  test('of several: each is requested by itself, and the others are accepted', async () => {
    // A comparison of positions would request several.
    const client = fixture.client({ positionCheckMs: Number.POSITIVE_INFINITY });
    const recorder = new Recorder();
    const names = Array.from({ length: 600 }, (_, index) => `c${index}`);
    for (const name of names) client.subscribe(name, recorder);
    client.connect();
    const session = await fixture.hub.welcome();
    const { request, subjects } = await session.expect('subscribe');
    expect(subjects).toHaveLength(600);
    session.send(native.encodeError({ request, code: 'channel_limit', message: '' }));
    const followed: string[] = [];
    for (let left = 600; left > 0; left--) {
      const alone = await session.expect('subscribe');
      expect(alone.subjects).toHaveLength(1);
      const isFull = followed.length === 400;
      if (!isFull) followed.push(alone.subjects[0]!.name);
      const refusal = { request: alone.request, code: 'channel_limit', message: '' };
      session.send(isFull ? native.encodeError(refusal) : subscribed(alone, 1));
    }
    const rejected = names.filter((name) => !followed.includes(name));
    const told = [
      ...followed.map((name) => `at ${name} 1`),
      ...rejected.map((name) => `rejected ${name} channel_limit`),
    ];
    await recorder.events.seen((event) => event === told.at(-1));
    expect(recorder.events.all.toSorted()).toEqual(told.toSorted());
    expect(client.stats()).toMatchObject({ subjects: 600, subscriptionsRejected: 200 });
  });

  test('is not notified without subscribers', async () => {
    const [client, session] = await fixture.open();
    const refusals = refusalsOf(client);
    const recorder = new Recorder();
    client.subscribe('gone', recorder);
    client.unsubscribe('gone', recorder);
    client.subscribe('a', recorder);
    const first = await session.expect('subscribe');
    await session.expect('unsubscribe');
    const second = await session.expect('subscribe');
    for (const { request } of [first, second])
      session.send(native.encodeError({ request, code: 'channel_limit', message: '' }));
    expect((await refusals.next())[0]).toEqual({ name: 'a', prefix: false });
    expect(refusals.all).toHaveLength(1);
  });
});
