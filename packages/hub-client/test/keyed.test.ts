import { once } from 'node:events';
import { decodeText, encodeText, native, type Position } from '@groupcast/protocol';
import { EventQueue } from '@groupcast/testkit';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { describe, expect, test } from 'vitest';
import type { HubClient } from '../src/hub-client.ts';
import type { KeyedMap } from '../src/keyed/keyed-map.ts';
import { EPOCH, type FakeSession, published, subscribed } from '../testing/fake-hub.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';
import { useUncaught } from '../testing/use-uncaught.ts';

const fixture = useFakeHub();
const uncaught = useUncaught();

/** Records `KEY=TEXT` and `KEY` of changes, `ready`, and `failed CODE`. */
function eventsOf(map: KeyedMap): EventQueue<string> {
  const events = new EventQueue<string>('event of a keyed map');
  map.on('change', (key, value) => events.push(value ? `${key}=${decodeText(value.payload)}` : key));
  map.on('ready', () => events.push('ready'));
  map.on('failed', ({ code }) => events.push(`failed ${code}`));
  return events;
}

function value(offset: number, key: string, text: string, lifeMs = 0): Uint8Array {
  const names = { ...TEXT_FIELDS, channel: 'c', timeMs: 7, meta: '{}' };
  return native.encodeDeliver({
    ...names,
    payload: encodeText(text),
    number: offset,
    keyed: { key, lifeMs },
  });
}

function snapshot(
  { request }: native.History,
  offset: number,
  more: boolean,
  ...frames: Uint8Array[]
): Buffer {
  const position: Position = { epoch: EPOCH, offset };
  const header = { request, verdict: 'snapshot' as const, position, count: frames.length, more };
  return Buffer.concat([native.encodePage(header), ...frames]);
}

interface Loaded {
  readonly map: KeyedMap;
  readonly events: EventQueue<string>;
  readonly session: FakeSession;
}

/** Opens a map of `c`, which is at 5, with the values of these frames. */
async function loaded(...frames: Uint8Array[]): Promise<Loaded> {
  const [client, session] = await fixture.open();
  const map = client.keyed('c');
  const events = eventsOf(map);
  await session.takeSubscribe(5);
  session.send(snapshot(await session.expect('history'), 5, false, ...frames));
  await events.seen((event) => event === 'ready');
  return { map, events, session };
}

describe('a keyed map', () => {
  test('loads all pages of a snapshot, with deliveries in between, and is ready then', async () => {
    const [client, session] = await fixture.open();
    const map = client.keyed('c');
    const events = eventsOf(map);
    await session.takeSubscribe(5);
    const first = await session.expect('history');
    expect(first).toMatchObject({
      channel: 'c',
      since: { epoch: '', offset: 0 },
      snapshot: true,
      afterKey: '',
    });
    session.send(snapshot(first, 5, true, value(2, 'a', '1'), value(5, 'b', '2')));
    const second = await session.expect('history');
    expect(second).toMatchObject({ snapshot: true, afterKey: 'b' });
    expect([map.isReady, map.size]).toEqual([false, 2]);
    session.send(value(6, 'a', '3'), value(7, 'b', ''), snapshot(second, 7, false, value(4, 'd', '4')));
    if (!map.isReady) await once(map, 'ready');
    expect(events.all).toEqual(['a=1', 'b=2', 'a=3', 'b', 'd=4', 'ready']);
    expect([...map.keys()]).toEqual(['a', 'd']);
    expect([map.size, map.isReady, map.has('a'), map.has('b')]).toEqual([2, true, true, false]);
    const found = {
      payload: encodeText('3'),
      kind: 'text',
      sender: TEXT_FIELDS.sender,
      meta: '{}',
      timeMs: 7,
    };
    expect(map.get('a')).toEqual(found);
    expect([...map.entries()][0]).toEqual(['a', found]);
    expect(map.get('__proto__')).toBeUndefined();
  });

  test('publishes values and removals with their keys, and resolves with the positions', async () => {
    const { map, session } = await loaded();
    const set = map.set('k', 'text', { kind: 'json', lifeMs: 500, messageId: 'm1' });
    const { publication: first } = await session.expect('publish');
    const keyed = { key: 'k', lifeMs: 500 };
    expect(first).toMatchObject({ channel: 'c', kind: 'json', messageId: 'm1', ephemeral: false, keyed });
    const removed = map.delete('k');
    const { publication: second } = await session.expect('publish');
    expect([second.keyed, second.payload.length]).toEqual([{ key: 'k', lifeMs: 0 }, 0]);
    const code = 'keys_full';
    const error = native.encodeError({ request: second.number, code, message: 'Full.' });
    session.send(published(first.number, 6), error);
    expect(await set).toEqual({ epoch: EPOCH, offset: 6 });
    await expect(removed).rejects.toMatchObject({ code });
    // Only the hub's delivery changes the map.
    expect(map.size).toBe(0);
  });

  test.each<[string, (map: KeyedMap) => Promise<Position>]>([
    ['an empty text', (map) => map.set('k', '')],
    ['no bytes', (map) => map.set('k', new Uint8Array())],
    ['no payload', (map) => map.set('k', undefined as never)],
    ['an empty key', (map) => map.set('', 'x')],
    ['a long key', (map) => map.delete('é'.repeat(261))],
    ['half a millisecond', (map) => map.set('k', 'x', { lifeMs: 0.5 })],
  ])('rejects %s as bad_field', async (_what, publish) => {
    const { map } = await loaded();
    await expect(publish(map)).rejects.toMatchObject({ code: 'bad_field' });
  });

  test('drops expired values by its own clock, and starts again with each publication', async () => {
    const { map, events, session } = await loaded(value(1, 'a', '1', 20), value(2, 'b', '2', 3_600_000));
    await events.seen((event) => event === 'a');
    session.send(value(6, 'b', '3', 10));
    await events.seen((event) => event === 'b');
    expect(events.all).toEqual(['a=1', 'b=2', 'ready', 'a', 'b=3', 'b']);
    expect([...map.keys()]).toEqual([]);
  });

  test('keeps its values over a lost link, and is not loaded again when nothing is lost', async () => {
    const { map, events, session } = await loaded(value(5, 'a', '1'));
    session.raw.reset();
    const next = await fixture.hub.welcome();
    expect([map.isReady, map.size]).toEqual([true, 1]);
    next.send(subscribed(await next.expect('subscribe'), 5), value(6, 'b', '2'));
    await events.seen((event) => event === 'b=2');
    expect(events.all).toEqual(['a=1', 'ready', 'b=2']);
    expect(next.received.rest).toEqual([]);
  });

  test('of another epoch is loaded again, and only differences are changes', async () => {
    const { map, events, session } = await loaded(
      value(1, 'same', '1'),
      value(2, 'other', '1'),
      value(5, 'gone', '1'),
    );
    session.raw.reset();
    const next = await fixture.hub.welcome();
    await next.takeSubscribe(1, 'epoch-2');
    const history = await next.expect('history');
    expect(map.isReady).toBe(false);
    const position = { epoch: 'epoch-2', offset: 2 };
    const header = native.encodePage({ request: history.request, verdict: 'snapshot', position, count: 2 });
    next.send(value(2, 'new', '1'), header, value(1, 'other', '2'), value(1, 'same', '1'));
    for (let loads = 0; loads < 2; loads++) await events.next((event) => event === 'ready');
    expect(events.all.slice(4)).toEqual(['new=1', 'other=2', 'gone', 'ready']);
  });

  test('retries a load that the hub rejected, from the key that it had reached', async () => {
    const [client, session] = await fixture.open({ bufferMs: 40, positionCheckMs: Number.POSITIVE_INFINITY });
    const map = client.keyed('c');
    const events = eventsOf(map);
    await session.takeSubscribe(5);
    session.send(snapshot(await session.expect('history'), 5, true, value(2, 'a', '1')));
    const { request } = await session.expect('history');
    session.send(native.encodeError({ request, code: 'internal_error', message: '' }));
    await events.seen((event) => event === 'failed internal_error');
    const again = await session.expect('history');
    expect(again.afterKey).toBe('a');
    session.send(snapshot(again, 5, false));
    await events.seen((event) => event === 'ready');
  });

  test('of a hub that knows no keys fails as unsupported, and nothing is sent', async () => {
    const client = fixture.client();
    client.connect();
    const session = await fixture.hub.accept();
    await session.expect('hello');
    const { extended: capabilities } = native.CAPABILITIES;
    const welcome = { version: native.NATIVE_VERSION, heartbeatMs: 5_000, frameBytesMax: 100_000 };
    session.send(native.encodeWelcome({ ...welcome, capabilities }));
    const map = client.keyed('c');
    const events = eventsOf(map);
    await session.takeSubscribe(5);
    await events.seen((event) => event === 'failed unsupported');
    await expect(map.set('k', 'x')).rejects.toMatchObject({ code: 'unsupported' });
    expect(session.received.rest).toEqual([]);
  });

  test('that is closed has no values and no events, and its subscription ends', async () => {
    const { map, events, session } = await loaded(value(1, 'a', '1', 5), value(2, 'b', '2'));
    map.close();
    map.close();
    session.send(value(6, 'd', '3'));
    await session.expect('unsubscribe');
    expect([map.size, map.isReady, map.get('b')]).toEqual([0, false, undefined]);
    expect(events.all).toEqual(['a=1', 'b=2', 'ready']);
  });

  test('is closed with its client, which opens no other one then', async () => {
    const [client, session] = await fixture.open();
    const map = client.keyed('c');
    const events = eventsOf(map);
    await session.takeSubscribe(5);
    await session.expect('history');
    client.close();
    expect([map.size, map.isReady, events.all]).toEqual([0, false, []]);
    expect(() => client.keyed('c')).toThrow(expect.objectContaining({ code: 'hub_unavailable' }));
  });

  test('of an invalid name is not opened', () => {
    expect(() => fixture.client().keyed('')).toThrow(expect.objectContaining({ code: 'bad_channel' }));
  });

  test('a listener that throws, or closes the map, disturbs nothing', async () => {
    const [client, session] = await fixture.open();
    const [map, other] = [client.keyed('c'), client.keyed('c')];
    const events = eventsOf(other);
    map.on('change', () => {
      map.close();
      throw new Error('thrown by a listener');
    });
    await session.takeSubscribe(5);
    const history = await session.expect('history');
    session.send(snapshot(history, 5, false, value(1, 'a', '1'), value(2, 'b', '2')));
    await events.seen((event) => event === 'ready');
    expect(events.all).toEqual(['a=1', 'b=2', 'ready']);
    expect([map.size, map.isReady]).toEqual([0, false]);
    expect(await uncaught.errors.next()).toMatchObject({ message: 'thrown by a listener' });
  });
});

describe('values that are read once', () => {
  /** Records the keys of a page, and whether there are more, or the code of an error. */
  function answerTo(events: EventQueue<string>): Parameters<HubClient['readValues']>[2] {
    return {
      page: ({ publications, more }) =>
        events.push(`${publications.map(({ keyed }) => keyed?.key).join()} ${more}`),
      failed: ({ code }) => events.push(code),
    };
  }

  test('come in pages, without a subscription', async () => {
    const [client, session] = await fixture.open();
    const events = new EventQueue<string>('answer');
    client.readValues('c', '', answerTo(events));
    const first = await session.expect('history');
    expect(first).toMatchObject({ channel: 'c', snapshot: true, afterKey: '' });
    session.send(snapshot(first, 5, true, value(2, 'a', '1'), value(5, 'b', '2')));
    expect(await events.next()).toBe('a,b true');
    client.readValues('c', 'b', answerTo(events));
    const second = await session.expect('history');
    expect(second).toMatchObject({ snapshot: true, afterKey: 'b' });
    session.send(snapshot(second, 5, false));
    expect(await events.next()).toBe(' false');
    expect(client.stats()).toMatchObject({ historyWaiting: 0 });
  });

  test('fail for an invalid name or key, and after close', async () => {
    const [client] = await fixture.open();
    const events = new EventQueue<string>('answer');
    client.readValues('', '', answerTo(events));
    client.readValues('c', 'x'.repeat(521), answerTo(events));
    client.close();
    client.readValues('c', '', answerTo(events));
    expect([await events.next(), await events.next(), await events.next()]).toEqual([
      'bad_channel',
      'bad_field',
      'hub_unavailable',
    ]);
  });
});
