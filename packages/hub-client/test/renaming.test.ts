import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { delivery, EPOCH, type FakeSession } from '../testing/fake-hub.ts';
import { Recorder } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

// No hub renames an epoch yet: a later one may, and its clients must not lose anything then.
const fixture = useFakeHub();
const RENAMED = 'epoch-1-renamed';

/** Encodes the answer to a SUBSCRIBE of one channel, with a renamed epoch. */
function renamedTo(epoch: string, { request, subjects }: native.Subscribe, offset: number): Uint8Array {
  const entries = subjects.map(({ name, prefix }) => {
    return { name, prefix, position: { epoch, offset }, epochIs: 'renamed' as const };
  });
  return native.encodeSubscribed({ request, entries });
}

/** Encodes a page of one publication, `TEXT`, whose epoch is renamed. */
function renamedPage(history: native.History, text: string, offset: number, epoch = RENAMED): Uint8Array {
  const { request, channel, since } = history;
  const position = { epoch, offset };
  const page = { request, verdict: 'recovered', position, count: 1, epochIs: 'renamed' } as const;
  return Buffer.concat([native.encodePage(page), delivery(channel, since.offset + 1, text)]);
}

/** Returns a subscriber of `a` that has offset 5, and the next connection with its SUBSCRIBE. */
async function reconnected(options: { readonly positionCheckMs?: number } = {}) {
  const [client, first] = await fixture.open(options);
  const recorder = new Recorder();
  const subscription = client.subscribe('a', recorder);
  await first.takeSubscribe(5);
  await recorder.events.seen((event) => event === 'at a 5');
  first.raw.reset();
  const session = await fixture.hub.welcome();
  const subscribe = await session.expect('subscribe');
  const live = async (offset: number, on: FakeSession = session): Promise<void> => {
    on.send(delivery('a', offset, 'live'));
    await recorder.events.seen((event) => event === `a ${offset} live`);
  };
  return { client, recorder, subscription, session, subscribe, live };
}

describe('a SUBSCRIBE', () => {
  test('has the epoch of a position that is known, and else none', async () => {
    const { session, subscribe, client } = await reconnected();
    expect(subscribe.subjects).toEqual([{ name: 'a', prefix: false, epoch: EPOCH }]);
    client.subscribe('b', new Recorder());
    client.subscribePrefix('p', new Recorder());
    expect((await session.takeSubscribe()).subjects).toEqual([{ name: 'b', prefix: false }]);
    expect((await session.takeSubscribe()).subjects).toEqual([{ name: 'p', prefix: true }]);
  });
});

describe('a hub that renamed the epoch', () => {
  test('and has nothing new causes no loss, and the client uses the new name', async () => {
    const it = await reconnected({ positionCheckMs: 40 });
    it.session.send(renamedTo(RENAMED, it.subscribe, 5));
    await it.live(6);
    expect(it.subscription.position).toEqual({ epoch: RENAMED, offset: 6 });
    expect((await it.session.takeSubscribe(6, RENAMED)).subjects[0]?.epoch).toBe(RENAMED);
    expect(it.recorder.events.all).toEqual(['at a 5', 'a 6 live']);
    expect(it.client.stats()).toMatchObject({ lost: { epoch_changed: 0 }, positionLosses: 0, recoveries: 0 });
  });

  test('is asked by the new name for what was missed', async () => {
    const it = await reconnected();
    it.session.send(renamedTo(RENAMED, it.subscribe, 6));
    expect((await it.session.takeHistory(['six'])).since).toEqual({ epoch: RENAMED, offset: 5 });
    await it.live(7);
    expect(it.recorder.events.all).toEqual(['at a 5', 'a 6 six', 'a 7 live']);
  });

  test('in the middle of a recovery is asked by the new name from then on', async () => {
    const it = await reconnected();
    const same = { position: { epoch: EPOCH, offset: 7 }, epochIs: 'same' as const };
    const entries = [{ name: 'a', prefix: false, ...same }];
    it.session.send(native.encodeSubscribed({ request: it.subscribe.request, entries }));
    const first = await it.session.expect('history');
    expect(first.since).toEqual({ epoch: EPOCH, offset: 5 });
    it.session.send(renamedPage(first, 'six', 7));
    const second = await it.session.expect('history');
    expect(second.since).toEqual({ epoch: RENAMED, offset: 6 });
    // It may be renamed again.
    it.session.send(renamedPage(second, 'seven', 7, 'third'));
    await it.live(8);
    expect(it.recorder.events.all).toEqual(['at a 5', 'a 6 six', 'a 7 seven', 'a 8 live']);
    expect(it.subscription.position).toEqual({ epoch: 'third', offset: 8 });
  });

  test('on an open connection causes no loss either', async () => {
    const it = await reconnected({ positionCheckMs: 40 });
    it.session.send(renamedTo(EPOCH, it.subscribe, 5));
    const check = await it.session.expect('subscribe');
    it.session.send(renamedTo(RENAMED, check, 5));
    await it.live(6);
    expect(it.subscription.epoch).toBe(RENAMED);
    expect(it.recorder.events.all).toEqual(['at a 5', 'a 6 live']);
  });

  test('and trimmed what was missed reports that, and no other history', async () => {
    const it = await reconnected();
    it.session.send(renamedTo(RENAMED, it.subscribe, 9));
    const { request } = await it.session.expect('history');
    const position = { epoch: 'third', offset: 9 };
    const page = { request, verdict: 'trimmed', position, count: 0, epochIs: 'renamed' } as const;
    it.session.send(native.encodePage(page));
    await it.live(10);
    expect(it.recorder.events.all).toEqual(['at a 5', 'lost a 9 trimmed', 'a 10 live']);
    expect(it.subscription.position).toEqual({ epoch: 'third', offset: 10 });
  });

  test('but has less than the client has another history', async () => {
    const it = await reconnected();
    it.session.send(renamedTo(RENAMED, it.subscribe, 3));
    await it.live(4);
    expect(it.recorder.events.all).toEqual(['at a 5', 'lost a 3 epoch_changed', 'a 4 live']);
  });
});
