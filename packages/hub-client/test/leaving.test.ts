import { native, type Position } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { HistoryPage } from '../src/history/history-page.ts';
import { delivery, EPOCH, page, published } from '../testing/fake-hub.ts';
import { nextState, Recorder, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();

function goaway(reconnectAfterMs = 0): Uint8Array {
  return native.encodeGoaway({ reconnectAfterMs });
}

describe('a hub that is shutting down', () => {
  test('gets no new requests, answers the pending ones, and is disconnected by the client', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    await session.takeSubscribe(5);
    await recorder.events.next();
    const publish = client.publish('a', 'before');
    const reading = new Promise<HistoryPage>((resolve, reject) => {
      client.history('b', { epoch: EPOCH, offset: 0 }, { page: resolve, failed: reject });
    });
    const { publication } = await session.expect('publish');
    const history = await session.expect('history');
    session.send(goaway());
    await nextState(states, 'leaving');

    const held = client.publish('a', 'while it ends');
    client.subscribe('c', recorder);
    expect(client.stats()).toMatchObject({ state: 'leaving', unanswered: 1, historyWaiting: 1 });
    expect(client.stats().bufferedBytes).toBeGreaterThan(0);
    // Deliveries continue until the end.
    session.send(delivery('a', 6, 'before'), published(publication.number, 6));
    expect(await publish).toEqual({ epoch: EPOCH, offset: 6 });
    expect(client.state).toBe('leaving');
    session.send(page(history, ['of b']));
    expect((await reading).publications).toHaveLength(1);
    const { error } = await nextState(states, 'waiting');
    expect(error).toMatchObject({ code: 'hub_unavailable', message: 'The hub is shutting down.' });
    expect(await session.raw.closed).toEqual({ ended: true, error: undefined });
    expect(session.received.rest).toEqual([]);

    const next = await fixture.hub.welcome();
    const { subjects } = await next.takeSubscribe(6);
    expect(subjects.map(({ name }) => name)).toEqual(['a', 'c']);
    await next.takePublish(7);
    expect(await held).toEqual({ epoch: EPOCH, offset: 7 });
    next.send(delivery('a', 7, 'while it ends'));
    await recorder.events.seen((event) => event === 'a 7 while it ends');
    expect(recorder.events.all).toEqual(['at a 5', 'a 6 before', 'at c 6', 'a 7 while it ends']);
    expect(client.stats()).toMatchObject({ recoveries: 0, lost: { epoch_changed: 0, trimmed: 0 } });
  });

  test('is disconnected at once when nothing is pending', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    session.send(goaway());
    await nextState(states, 'waiting');
    await fixture.hub.welcome();
    await nextState(states, 'open');
    const names = states.all.map(({ state }) => state);
    expect(names).toEqual(['leaving', 'waiting', 'connecting', 'authenticating', 'open']);
  });

  test('may repeat GOAWAY', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const publish = client.publish('a', 'x');
    const { publication } = await session.expect('publish');
    session.send(goaway(), goaway(), published(publication.number, 1));
    await publish;
    await nextState(states, 'waiting');
    expect(states.all.map(({ state }) => state)).toEqual(['leaving', 'waiting']);
  });

  test('is waited for no longer than publishMs', async () => {
    const [client, session] = await fixture.open({ publishMs: 40 });
    const states = statesOf(client);
    const publish = client.publish('a', 'x');
    await session.expect('publish');
    session.send(goaway());
    await expect(publish).rejects.toMatchObject({ code: 'outcome_unknown' });
    await nextState(states, 'waiting');
    await fixture.hub.welcome();
    await nextState(states, 'open');
  });

  test('is disconnected when it rejects the last pending request', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const publish = client.publish('a', 'x');
    const { publication } = await session.expect('publish');
    session.send(
      goaway(),
      native.encodeError({ request: publication.number, code: 'internal_error', message: 'No.' }),
    );
    await expect(publish).rejects.toMatchObject({ code: 'internal_error' });
    await nextState(states, 'waiting');
  });

  test('may close before it has answered: the outcome is unknown, and the state has the reason', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const publish = client.publish('a', 'x');
    await session.expect('publish');
    session.send(goaway());
    await nextState(states, 'leaving');
    session.raw.end();
    await expect(publish).rejects.toMatchObject({ code: 'outcome_unknown' });
    const { error } = await nextState(states, 'waiting');
    expect(error).toMatchObject({ message: 'The hub is shutting down.', cause: { code: 'hub_unavailable' } });
  });

  test('sets the minimum delay of the reconnect', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const sentAtMs = performance.now();
    session.send(goaway(60));
    await nextState(states, 'waiting');
    await nextState(states, 'connecting');
    // Node's timers may be early by a fraction of a millisecond.
    expect(performance.now() - sentAtMs).toBeGreaterThan(58);
    await fixture.hub.welcome();
    await nextState(states, 'open');
  });

  test('cannot delay a reconnect forever: a delay above the limit of timers does not pass at once', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    session.send(goaway(2 ** 32 - 1));
    await nextState(states, 'waiting');
    // A delay of 0 ms would have passed long before this round trip.
    const [other] = await fixture.open();
    other.close();
    expect(client.state).toBe('waiting');
  });

  test('does not delay close', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const publish: Promise<Position> = client.publish('a', 'x');
    await session.expect('publish');
    session.send(goaway());
    await nextState(states, 'leaving');
    client.close();
    await expect(publish).rejects.toMatchObject({ code: 'outcome_unknown' });
    await session.raw.closed;
    expect(states.all.map(({ state }) => state)).toEqual(['leaving', 'closed']);
  });
});
