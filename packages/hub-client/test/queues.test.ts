import { decodeText, native, type ProtocolError } from '@groupcast/protocol';
import { EventQueue } from '@groupcast/testkit';
import { describe, expect, test } from 'vitest';
import type { HubClientEvents } from '../src/hub-client-events.ts';
import type { QueueItem } from '../src/queues/queue-watches.ts';
import { nextState, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();

/** Resolves with the error of an enqueue that must fail. */
function failure(enqueue: Promise<void>): Promise<ProtocolError> {
  return enqueue.then(
    () => Promise.reject(new Error('The enqueue succeeded.')),
    (error: ProtocolError) => error,
  );
}

/** Returns a handler, and its items with functions that end them. */
function slowHandler() {
  const items = new EventQueue<QueueItem & { done(): void; fail(error: Error): void }>('item');
  const handler = (item: QueueItem): Promise<void> =>
    new Promise((done, fail) => items.push({ ...item, done, fail }));
  return { items, handler };
}

describe('enqueue', () => {
  test('resolves when the hub has accepted the item', async () => {
    const [client, session] = await fixture.open();
    const enqueues = [
      client.enqueue('jobs', 'これは'),
      client.enqueue('jobs', Uint8Array.of(0, 255)),
      client.enqueue('jobs', '{}', { kind: 'json' }),
    ];
    const sent = [await session.takeEnqueue(), await session.takeEnqueue(), await session.takeEnqueue()];
    await Promise.all(enqueues);
    expect(sent.map(({ queue, kind }) => `${queue} ${kind}`)).toEqual([
      'jobs text',
      'jobs bytes',
      'jobs json',
    ]);
    expect(decodeText(sent[0]!.payload)).toBe('これは');
  });

  test('sends its message id', async () => {
    const [client, session] = await fixture.open();
    const enqueue = client.enqueue('jobs', 'x', { messageId: 'm-1' });
    expect((await session.takeEnqueue()).messageId).toBe('m-1');
    await enqueue;
  });

  test('rejects with the code of the hub', async () => {
    const [client, session] = await fixture.open();
    const enqueue = failure(client.enqueue('jobs', 'x'));
    const { request } = await session.expect('enqueue');
    session.send(native.encodeError({ request, code: 'queue_full', message: 'Full.' }));
    expect(await enqueue).toMatchObject({ code: 'queue_full', message: 'Full.' });
    expect(client.state).toBe('open');
  });

  test.each(['', 'a\nb', '$dead:jobs'])('rejects the name %j', async (name) => {
    expect(await failure(fixture.client().enqueue(name, 'x'))).toMatchObject({ code: 'bad_queue' });
  });

  test('has an unknown outcome after a timeout or a broken link, and is not sent again', async () => {
    const [client, session] = await fixture.open({ publishMs: 1_000 });
    const late = await failure(client.enqueue('jobs', 'late'));
    expect(late.code).toBe('outcome_unknown');
    expect(late.message).toMatch(/twice/);
    const cut = failure(client.enqueue('jobs', 'cut'));
    await session.expect('enqueue');
    await session.expect('enqueue');
    session.raw.reset();
    expect((await cut).code).toBe('outcome_unknown');
    const next = await fixture.hub.welcome();
    const third = client.enqueue('jobs', 'third');
    expect(decodeText((await next.takeEnqueue()).payload)).toBe('third');
    await third;
  });

  test('is buffered while the hub is disconnected, up to the limit', async () => {
    const client = fixture.client({ bufferBytesMax: 100 });
    const held = client.enqueue('jobs', 'held');
    expect(await failure(client.enqueue('jobs', 'x'.repeat(100)))).toMatchObject({ code: 'hub_unavailable' });
    client.connect();
    const session = await fixture.hub.welcome();
    expect(decodeText((await session.takeEnqueue()).payload)).toBe('held');
    await held;
  });

  test('buffers an item that is longer than the buffer if nothing else is buffered', async () => {
    const client = fixture.client({ bufferBytesMax: 100 });
    const held = client.enqueue('jobs', 'x'.repeat(1_000));
    client.connect();
    const session = await fixture.hub.welcome();
    await session.takeEnqueue();
    await held;
    const sent = client.enqueue('jobs', 'y'.repeat(1_000));
    await session.takeEnqueue();
    await sent;
  });

  test('fails when the client is closed, before and after', async () => {
    const [client, session] = await fixture.open();
    const unanswered = failure(client.enqueue('jobs', 'x'));
    await session.expect('enqueue');
    client.close();
    expect((await unanswered).code).toBe('outcome_unknown');
    expect((await failure(client.enqueue('jobs', 'x'))).code).toBe('hub_unavailable');
  });

  test('rejects an item that exceeds the frame limit of the hub, buffered or not', async () => {
    const client = fixture.client();
    const held = failure(client.enqueue('jobs', 'x'.repeat(1_000)));
    client.connect();
    await fixture.hub.welcome({ frameBytesMax: 500 });
    expect((await held).code).toBe('bad_length');
    expect((await failure(client.enqueue('jobs', 'x'.repeat(1_000)))).code).toBe('bad_length');
  });

  test('is acknowledged before the client leaves a hub that is shutting down', async () => {
    const [client, session] = await fixture.open();
    const enqueue = client.enqueue('jobs', 'x');
    const { request } = await session.expect('enqueue');
    const states = statesOf(client);
    session.send(native.encodeGoaway({ reconnectAfterMs: 0 }));
    await nextState(states, 'leaving');
    session.send(native.encodeEnqueued({ request }));
    await enqueue;
    await nextState(states, 'waiting');
  });
});

describe('watch', () => {
  test('delivers items to the handler, and reports them as done when it has ended', async () => {
    const [client, session] = await fixture.open();
    const { items, handler } = slowHandler();
    client.watch('jobs', handler, { concurrency: 2 });
    expect(await session.expect('watch')).toMatchObject({ queue: 'jobs', concurrency: 2 });
    session.hand('jobs', ['a', 'b'], 7, 3);
    const [a, b] = [await items.next(), await items.next()];
    expect(a).toMatchObject({ queue: 'jobs', kind: 'text', attempt: 3 });
    expect(decodeText(a.payload)).toBe('a');
    b.done();
    expect(await session.received.next()).toEqual({ type: 'done', queue: 'jobs', item: 8, attempt: 3 });
    a.done();
    expect(await session.received.next()).toEqual({ type: 'done', queue: 'jobs', item: 7, attempt: 3 });
  });

  test('gives the handler the message id of an item', async () => {
    const [client, session] = await fixture.open();
    const { items, handler } = slowHandler();
    client.watch('jobs', handler);
    const item = { queue: 'jobs', item: 1, attempt: 1, kind: 'text', payload: 'x' } as const;
    session.send(native.encodeItem({ ...item, messageId: 'm-1' }));
    const first = await items.next();
    first.done();
    session.send(native.encodeItem(item));
    expect([first.messageId, (await items.next()).messageId]).toEqual(['m-1', '']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('a handler that %s: the item failed, and the error is emitted', async (_how, handler) => {
    const [client, session] = await fixture.open();
    const failures = new EventQueue<HubClientEvents['itemFailed']>('failure');
    client.on('itemFailed', (...failed) => failures.push(failed));
    client.watch('jobs', handler);
    await session.expect('watch');
    session.hand('jobs', ['a']);
    expect(await session.received.next()).toEqual({ type: 'failed', queue: 'jobs', item: 1, attempt: 1 });
    const [item, error] = await failures.next();
    expect(item).toMatchObject({ queue: 'jobs', attempt: 1 });
    expect(error).toMatchObject({ message: 'broken' });
    expect(client.state).toBe('open');
  });

  test('is requested on the next link, which gets no outcomes of earlier items', async () => {
    const [client, session] = await fixture.open();
    const failures = new EventQueue<unknown>('failure');
    client.on('itemFailed', (_item, error) => failures.push(error));
    const { items, handler } = slowHandler();
    client.watch('jobs', handler, { concurrency: 9 });
    await session.expect('watch');
    session.hand('jobs', ['a', 'b', 'c']);
    const [a, b] = [await items.next(), await items.next()];
    await items.next();
    session.raw.reset();
    const next = await fixture.hub.welcome();
    expect(await next.expect('watch')).toMatchObject({ queue: 'jobs', concurrency: 9 });
    a.done();
    b.fail(new Error('broken'));
    await failures.next();
    next.hand('jobs', ['a'], 1, 2);
    (await items.next()).done();
    expect(await next.received.next()).toEqual({ type: 'done', queue: 'jobs', item: 1, attempt: 2 });
  });

  test('may start before the client is connected', async () => {
    const client = fixture.client();
    const { items, handler } = slowHandler();
    client.watch('$dead:jobs', handler);
    client.connect();
    const session = await fixture.hub.welcome();
    expect(await session.expect('watch')).toMatchObject({ queue: '$dead:jobs', concurrency: 1 });
    session.hand('$dead:jobs', ['a']);
    (await items.next()).done();
    expect(await session.expect('done')).toMatchObject({ queue: '$dead:jobs' });
  });

  test('close ends the watch, waits for the handler and returns items in flight', async () => {
    const [client, session] = await fixture.open();
    const { items, handler } = slowHandler();
    const watcher = client.watch('jobs', handler, { concurrency: 2 });
    await session.expect('watch');
    session.hand('jobs', ['a']);
    const a = await items.next();
    const closed = watcher.close();
    await session.expect('unwatch');
    session.hand('jobs', ['b'], 2);
    expect(await session.expect('failed')).toMatchObject({ item: 2 });
    a.done();
    await closed;
    expect(await session.expect('done')).toMatchObject({ item: 1 });
    await watcher.close();
    client.watch('jobs', handler);
    await session.expect('watch');
  });

  test('a closed watch is not requested again', async () => {
    const [client, session] = await fixture.open();
    await client.watch('jobs', () => {}).close();
    client.watch('other', () => {});
    session.raw.reset();
    const next = await fixture.hub.welcome();
    expect(await next.expect('watch')).toMatchObject({ queue: 'other' });
  });

  test('a rejection is emitted once, and the watch is retried', async () => {
    const [client, session] = await fixture.open({ publishMs: 20 });
    const refusals = new EventQueue<HubClientEvents['watchRejected']>('refusal');
    client.on('watchRejected', (...refusal) => refusals.push(refusal));
    const { items, handler } = slowHandler();
    client.watch('jobs', handler);
    for (let round = 0; round < 3; round++) {
      const { request } = await session.expect('watch');
      session.send(native.encodeError({ request, code: 'queue_limit', message: 'Too many.' }));
    }
    await session.expect('watch');
    session.hand('jobs', ['a']);
    await items.next();
    expect(refusals.all).toMatchObject([['jobs', { code: 'queue_limit' }]]);
  });

  test('an outcome is sent to a hub that is shutting down', async () => {
    const [client, session] = await fixture.open();
    const { items, handler } = slowHandler();
    client.watch('jobs', handler);
    await session.expect('watch');
    session.hand('jobs', ['a']);
    const a = await items.next();
    // Keeps the client from leaving at once.
    const enqueue = client.enqueue('jobs', 'x');
    const { request } = await session.expect('enqueue');
    const states = statesOf(client);
    session.send(native.encodeGoaway({ reconnectAfterMs: 0 }));
    await nextState(states, 'leaving');
    a.done();
    expect(await session.expect('done')).toMatchObject({ item: 1 });
    session.send(native.encodeEnqueued({ request }));
    await enqueue;
  });

  test.each([0, -1, 1.5, 1_001, Number.NaN])('a concurrency of %d is rejected', (concurrency) => {
    const watch = (): unknown => fixture.client().watch('jobs', () => {}, { concurrency });
    expect(watch).toThrow(expect.objectContaining({ code: 'bad_field' }));
  });

  test('an invalid name is rejected, and a queue that is already watched', () => {
    const client = fixture.client();
    expect(() => client.watch('a\nb', () => {})).toThrow(expect.objectContaining({ code: 'bad_queue' }));
    client.watch('jobs', () => {});
    expect(() => client.watch('jobs', () => {})).toThrow(expect.objectContaining({ code: 'bad_field' }));
  });
});
