import { native, type Position } from '@groupcast/protocol';
import { EventQueue } from '@groupcast/testkit';
import { describe, expect, test } from 'vitest';
import type { HubClient } from '../src/hub-client.ts';
import type { Subscriber } from '../src/subscriptions/channel-subscription.ts';
import { delivery, EPOCH, type FakeSession, noPage, page, published } from '../testing/fake-hub.ts';
import { nextState, Recorder, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';
import { useUncaught } from '../testing/use-uncaught.ts';

const fixture = useFakeHub();
const uncaught = useUncaught();

const START: Position = { epoch: EPOCH, offset: 0 };

/** Creates a callback that throws an error with this name. */
function throwing(name: string): () => never {
  return () => {
    throw new Error(name);
  };
}

async function expectUncaught(...names: string[]): Promise<void> {
  for (const name of names) expect(await uncaught.errors.next()).toEqual(new Error(name));
}

/** Asserts that the client still has its connection: it publishes on it. */
async function expectSameLink(client: HubClient, session: FakeSession): Promise<void> {
  const answer = client.publish('still', 'there');
  await session.takePublish(7);
  expect(await answer).toEqual({ epoch: EPOCH, offset: 7 });
  expect(client.stats()).toMatchObject({ state: 'open', reconnects: 0, unanswered: 0 });
}

describe('a subscriber that throws', () => {
  test('in deliver keeps no publication from the others', async () => {
    const [client, session] = await fixture.open();
    const healthy = new Recorder();
    client.subscribe('a', { deliver: throwing('deliver') });
    client.subscribe('a', healthy);
    client.subscribePrefix('a', { deliver: throwing('by prefix') });
    await session.takeSubscribe();
    await session.takeSubscribe();
    session.send(delivery('a', 1, 'one'), delivery('a', 2, 'two'));
    await healthy.events.seen((event) => event === 'a 2 two');
    expect(healthy.events.all).toEqual(['at a 0', 'a 1 one', 'a 2 two']);
    await expectUncaught('deliver', 'by prefix', 'deliver', 'by prefix');
    await expectSameLink(client, session);
    expect(client.stats()).toMatchObject({ delivered: 2, holes: 0, repeated: 0, recoveries: 0 });
  });

  test('in deliver or lost does not disturb recovery', async () => {
    const [client, session] = await fixture.open();
    const healthy = new Recorder();
    client.subscribe('a', { deliver: throwing('deliver'), lost: throwing('lost') });
    client.subscribe('a', healthy);
    await session.takeSubscribe();
    session.send(delivery('a', 3, 'after a hole'));
    session.send(page(await session.expect('history'), ['one', 'two'], 4));
    session.send(noPage(await session.expect('history'), 'trimmed', { epoch: EPOCH, offset: 9 }));
    await healthy.events.seen((event) => event === 'lost a 9 trimmed');
    expect(healthy.events.all).toEqual(['at a 0', 'a 1 one', 'a 2 two', 'lost a 9 trimmed']);
    await expectUncaught('deliver', 'deliver', 'lost');
    await expectSameLink(client, session);
  });

  test('in subscribed disturbs nothing, whether the position was known already or not', async () => {
    const [client, session] = await fixture.open();
    const healthy = new Recorder();
    const bad: Subscriber = { deliver: () => {}, subscribed: throwing('subscribed') };
    client.subscribe('a', bad);
    client.subscribe('a', healthy);
    await session.takeSubscribe();
    await healthy.events.next();
    client.subscribe('a', { ...bad, subscribed: throwing('later') });
    await expectUncaught('subscribed', 'later');
    await expectSameLink(client, session);
  });

  test('in rejected disturbs nothing, and neither does a listener', async () => {
    const [client, session] = await fixture.open();
    const healthy = new Recorder();
    const heard = new EventQueue<string>('event rejected');
    client.on('rejected', throwing('listener'));
    client.on('rejected', ({ name }) => heard.push(name));
    client.subscribe('a', { deliver: () => {}, rejected: throwing('rejected') });
    client.subscribe('a', healthy);
    const { request } = await session.expect('subscribe');
    session.send(native.encodeError({ request, code: 'channel_limit', message: 'Full.' }));
    expect(await heard.next()).toBe('a');
    expect(healthy.events.all).toEqual(['rejected a channel_limit']);
    await expectUncaught('rejected', 'listener');
    await expectSameLink(client, session);
  });
});

describe('an answer that throws', () => {
  test('to a publish disturbs neither the connection nor later answers', async () => {
    const [client, session] = await fixture.open();
    const outcomes = new EventQueue<string>('outcome');
    const bad = { accepted: throwing('published'), failed: throwing('failed') };
    client.publishWithAnswer('a', '1', {}, bad);
    client.publishWithAnswer('a', '2', {}, { ...bad, accepted: () => outcomes.push('published') });
    client.publishWithAnswer('a', '3', {}, bad);
    const requests = [];
    for (const _ of [1, 2, 3]) requests.push((await session.expect('publish')).publication.number);
    const [first = 0, second = 0, third = 0] = requests;
    const refusal = native.encodeError({ request: third, code: 'bad_channel', message: 'No.' });
    session.send(published(first, 1), published(second, 2), refusal);
    await outcomes.next();
    await expectUncaught('published', 'failed');
    client.publishWithAnswer('', 'no name', {}, bad);
    await expectUncaught('failed');
    await expectSameLink(client, session);
  });

  test('at the end of the connection does not disturb other answers, and the client reconnects', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    client.on('state', (state) => state === 'waiting' && throwing('waiting')());
    client.publishWithAnswer('a', '1', {}, { accepted: () => {}, failed: throwing('failed') });
    const publish = client.publish('a', '2');
    const enqueue = client.enqueue('jobs', '3');
    await session.expect('publish');
    session.raw.reset();
    await expect(publish).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expect(enqueue).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expectUncaught('waiting', 'failed');
    await fixture.hub.welcome();
    await nextState(states, 'open');
  });

  test('during close does not disturb other answers', async () => {
    const client = fixture.client();
    client.connect();
    client.on('state', throwing('closed'));
    client.publishWithAnswer('a', '1', {}, { accepted: () => {}, failed: throwing('failed') });
    const bad = { page: throwing('page'), failed: throwing('no page') };
    client.history('a', START, bad);
    const publish = client.publish('a', '2');
    client.close();
    await expect(publish).rejects.toMatchObject({ code: 'hub_unavailable' });
    client.history('a', START, bad);
    await expectUncaught('closed', 'failed', 'no page', 'no page');
    expect(client.state).toBe('closed');
  });

  test('after its time limit does not disturb other answers', async () => {
    const [client] = await fixture.open({ publishMs: 20 });
    client.publishWithAnswer('a', '1', {}, { accepted: () => {}, failed: throwing('failed') });
    client.history('a', START, { page: () => {}, failed: throwing('no page') });
    const publish = client.publish('a', '2');
    await expect(publish).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expectUncaught('failed', 'no page');
    const expected = { state: 'open', reconnects: 0, unanswered: 0, historyWaiting: 0 };
    expect(client.stats()).toMatchObject(expected);
  });

  test('to a history read disturbs neither the connection nor callers of the same read', async () => {
    const [client, session] = await fixture.open({ historyWaitingMax: 3 });
    const pages = new EventQueue<number>('page');
    const bad = { page: throwing('page'), failed: throwing('no page') };
    client.history('a', START, bad);
    client.history('a', START, { ...bad, page: ({ position }) => pages.push(position.offset) });
    client.history('b', START, bad);
    client.history('c', START, bad);
    await expectUncaught('no page');
    await session.takeHistory(['one']);
    const { request } = await session.expect('history');
    session.send(native.encodeError({ request, code: 'bad_channel', message: 'No.' }));
    expect(await pages.next()).toBe(1);
    await expectUncaught('page', 'no page');
    await expectSameLink(client, session);
  });
});

describe('a queue handler that fails', () => {
  test.each([
    ['throws', throwing('job')],
    ['rejects', async () => throwing('job')()],
  ])('and %s is an uncaught exception without a listener for itemFailed', async (_how, handler) => {
    const [client, session] = await fixture.open();
    client.watch('jobs', handler, { concurrency: 2 });
    await session.expect('watch');
    session.hand('jobs', ['a', 'b']);
    expect(await session.expect('failed')).toMatchObject({ item: 1 });
    expect(await session.expect('failed')).toMatchObject({ item: 2 });
    await expectUncaught('job', 'job');
    await expectSameLink(client, session);
  });

  test('is reported to the listener of itemFailed only, whose own exception is uncaught', async () => {
    const [client, session] = await fixture.open();
    const failures = new EventQueue<unknown>('failure');
    client.on('itemFailed', throwing('listener'));
    client.on('itemFailed', (_item, error) => failures.push(error));
    client.watch('jobs', throwing('job'));
    await session.expect('watch');
    session.hand('jobs', ['a']);
    await session.expect('failed');
    expect(await failures.next()).toEqual(new Error('job'));
    await expectUncaught('listener');
    expect(uncaught.errors.all).toHaveLength(1);
    await expectSameLink(client, session);
  });
});

test('a listener that throws when the connection opens, or a watch is rejected, disturbs nothing', async () => {
  const client = fixture.client();
  const states = statesOf(client);
  const rejected = new EventQueue<string>('event watchRejected');
  client.on('state', (state) => state === 'open' && throwing('open')());
  client.on('watchRejected', throwing('watchRejected'));
  client.on('watchRejected', (queue) => rejected.push(queue));
  client.once('state', throwing('once'));
  client.watch('jobs', () => {});
  client.connect();
  const session = await fixture.hub.welcome();
  await nextState(states, 'open');
  const { request } = await session.expect('watch');
  session.send(native.encodeError({ request, code: 'queue_limit', message: 'Full.' }));
  expect(await rejected.next()).toBe('jobs');
  await expectUncaught('once', 'open', 'watchRejected');
  await expectSameLink(client, session);
});
