import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { HubClient } from '../src/hub-client.ts';
import type { HubClientOptions } from '../src/options.ts';
import { delivery, EPOCH, type FakeSession, noPage, page, subscribed } from '../testing/fake-hub.ts';
import { nextState, Recorder, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();

interface Following {
  readonly client: HubClient;
  readonly session: FakeSession;
  readonly recorder: Recorder;
  /** Returns the recorder's events since the subscription. */
  heard(): readonly string[];
}

/** Creates a client with a subscription to the channel `a`, which is at 5. */
async function following(options: Partial<HubClientOptions> = {}): Promise<Following> {
  const [client, session] = await fixture.open(options);
  const recorder = new Recorder();
  client.subscribe('a', recorder);
  await session.takeSubscribe(5);
  await recorder.events.seen((event) => event === 'at a 5');
  return { client, session, recorder, heard: () => recorder.events.all.slice(1) };
}

/** Breaks the connection. Resolves with the next one, after the client requested its channels. */
async function broken(session: FakeSession): Promise<[FakeSession, native.Subscribe]> {
  session.raw.reset();
  const next = await fixture.hub.welcome();
  return [next, await next.expect('subscribe')];
}

/**
 * Sends the next live publication, and resolves when it is delivered: earlier messages have had
 * their effect then.
 */
async function live({ recorder }: Following, session: FakeSession, offset: number): Promise<void> {
  session.send(delivery('a', offset, 'live'));
  await recorder.events.seen((event) => event === `a ${offset} live`);
}

describe('after a lost connection', () => {
  test('subscribers are not notified when nothing was missed', async () => {
    const it = await following();
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 5));
    await live(it, session, 6);
    expect(it.heard()).toEqual(['a 6 live']);
    expect(session.received.rest).toEqual([]);
    expect(it.client.stats()).toMatchObject({ recoveries: 0, historyReads: 0, repeated: 0, holes: 0 });
  });

  test('missed publications are read page by page, while live ones arrive in between', async () => {
    const it = await following();
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 8), delivery('a', 9, 'too early'));
    const first = await session.expect('history');
    expect(first).toMatchObject({ channel: 'a', since: { epoch: EPOCH, offset: 5 } });
    session.send(page(first, ['six', 'seven'], 9), delivery('a', 10, 'too early'));
    const second = await session.expect('history');
    expect(second.since).toEqual({ epoch: EPOCH, offset: 7 });
    session.send(delivery('a', 11, 'too early'), page(second, ['eight', 'nine'], 11));
    const third = await session.expect('history');
    expect(third.since).toEqual({ epoch: EPOCH, offset: 9 });
    // The last page and the live publication after it arrive together.
    session.send(page(third, ['ten', 'eleven']), delivery('a', 12, 'live'));
    await it.recorder.events.seen((event) => event === 'a 12 live');
    expect(it.heard()).toEqual([
      'a 6 six',
      'a 7 seven',
      'a 8 eight',
      'a 9 nine',
      'a 10 ten',
      'a 11 eleven',
      'a 12 live',
    ]);
    expect(it.client.stats()).toMatchObject({ recoveries: 1, historyReads: 3, holes: 0, repeated: 0 });
  });

  test.each([0, 5, 9])('another epoch is reported as a loss, also at offset %i', async (offset) => {
    const it = await following();
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, offset, 'epoch-2'));
    await live(it, session, offset + 1);
    expect(it.heard()).toEqual([`lost a ${offset} epoch_changed`, `a ${offset + 1} live`]);
    expect(it.client.stats()).toMatchObject({ recoveries: 0, lost: { epoch_changed: 1, trimmed: 0 } });
  });

  test('a hub with an earlier position has another history, and the loss is reported', async () => {
    const it = await following();
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 3));
    await live(it, session, 4);
    expect(it.heard()).toEqual(['lost a 3 epoch_changed', 'a 4 live']);
  });

  test.each(['epoch_changed', 'trimmed'] as const)(
    '%s in the answer is told, and it goes on live',
    async (verdict) => {
      const it = await following();
      const [session, subscribe] = await broken(it.session);
      session.send(subscribed(subscribe, 90), delivery('a', 91, 'too early'));
      const history = await session.expect('history');
      session.send(noPage(history, verdict, { epoch: EPOCH, offset: 91 }));
      await live(it, session, 92);
      expect(it.heard()).toEqual([`lost a 91 ${verdict}`, 'a 92 live']);
      const lost = { epoch_changed: 0, trimmed: 0, [verdict]: 1 };
      expect(it.client.stats()).toMatchObject({ recoveries: 1, lost });
    },
  );

  test('history that is trimmed between two pages is reported after the publications of the first one', async () => {
    const it = await following();
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 90));
    session.send(page(await session.expect('history'), ['six'], 90));
    const second = await session.expect('history');
    session.send(noPage(second, 'trimmed', { epoch: EPOCH, offset: 95 }));
    await live(it, session, 96);
    expect(it.heard()).toEqual(['a 6 six', 'lost a 95 trimmed', 'a 96 live']);
  });

  test('a second lost connection between two pages continues after the first page', async () => {
    const it = await following();
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 8));
    session.send(page(await session.expect('history'), ['six'], 8));
    await session.expect('history');
    const [next, again] = await broken(session);
    next.send(subscribed(again, 8));
    expect((await next.takeHistory(['seven', 'eight'])).since.offset).toBe(6);
    await live(it, next, 9);
    expect(it.heard()).toEqual(['a 6 six', 'a 7 seven', 'a 8 eight', 'a 9 live']);
    // Nothing was requested twice: the reads of the lost connection were dropped.
    expect(it.client.stats()).toMatchObject({ recoveries: 2, historyReads: 3, historyWaiting: 0 });
  });

  test('a connection lost within a page: none of it is delivered, and it is read again', async () => {
    const it = await following();
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 7));
    const whole = page(await session.expect('history'), ['six', 'seven']);
    session.send(whole.subarray(0, -1));
    const states = statesOf(it.client);
    session.raw.end();
    await nextState(states, 'waiting');
    const next = await fixture.hub.welcome();
    await next.takeSubscribe(7);
    expect((await next.takeHistory(['six', 'seven'])).since.offset).toBe(5);
    await live(it, next, 8);
    expect(it.heard()).toEqual(['a 6 six', 'a 7 seven', 'a 8 live']);
  });

  test('a history read that the hub rejects is retried', async () => {
    const it = await following({ bufferMs: 40 });
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 6));
    for (let refusals = 0; refusals < 2; refusals++) {
      const { request } = await session.expect('history');
      session.send(native.encodeError({ request, code: 'internal_error', message: 'Not now.' }));
    }
    await session.takeHistory(['six']);
    await live(it, session, 7);
    expect(it.heard()).toEqual(['a 6 six', 'a 7 live']);
    expect(it.client.stats()).toMatchObject({ recoveries: 1, historyReads: 3 });
  });

  test('a history read that the hub does not answer is retried', async () => {
    const it = await following({ publishMs: 40 });
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 6));
    const unanswered = await session.expect('history');
    await session.takeHistory(['six']);
    session.send(page(unanswered, ['six']));
    await live(it, session, 7);
    expect(it.heard()).toEqual(['a 6 six', 'a 7 live']);
  });

  test('many channels are read 16 at a time', async () => {
    const [client, session] = await fixture.open();
    const recorder = new Recorder();
    const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
    for (const name of names) client.subscribe(name, recorder);
    for (const _ of names) await session.takeSubscribe();
    await recorder.events.seen((event) => event === 'at c39 0');
    const [next, again] = await broken(session);
    expect(again.subjects).toHaveLength(40);
    next.send(subscribed(again, 1));
    const underWay: native.History[] = [];
    for (let count = 0; count < 16; count++) underWay.push(await next.expect('history'));
    expect(client.stats()).toMatchObject({ recoveries: 40, historyReads: 16, historyWaiting: 40 });
    for (let answered = 0; answered < 40; answered++) {
      const history = underWay.shift();
      if (history === undefined) throw new Error('As many as may are under way all the time.');
      next.send(page(history, ['missed']));
      await recorder.events.seen((event) => event === `${history.channel} 1 missed`);
      expect(next.received.rest.length).toBeLessThanOrEqual(1);
      if (answered < 24) underWay.push(await next.expect('history'));
    }
    expect(recorder.events.all.slice(40).toSorted()).toEqual(
      names.map((name) => `${name} 1 missed`).toSorted(),
    );
  });
});

describe('on an open connection', () => {
  test('a repeated publication is dropped and counted', async () => {
    const it = await following();
    it.session.send(delivery('a', 6, 'once'), delivery('a', 6, 'twice'), delivery('a', 2, 'old'));
    await live(it, it.session, 7);
    expect(it.heard()).toEqual(['a 6 once', 'a 7 live']);
    expect(it.client.stats()).toMatchObject({ repeated: 2, holes: 0, recoveries: 0, delivered: 4 });
  });

  test('a hole is noticed with the next publication, and filled', async () => {
    const it = await following();
    it.session.send(delivery('a', 8, 'behind the hole'), delivery('a', 9, 'as well'));
    const history = await it.session.takeHistory(['six', 'seven', 'eight', 'nine']);
    expect(history.since.offset).toBe(5);
    await live(it, it.session, 10);
    expect(it.heard()).toEqual(['a 6 six', 'a 7 seven', 'a 8 eight', 'a 9 nine', 'a 10 live']);
    expect(it.client.stats()).toMatchObject({ holes: 1, recoveries: 1, repeated: 0 });
  });

  test('a hole that cannot be filled is reported as lost', async () => {
    const it = await following();
    it.session.send(delivery('a', 8, 'behind the hole'));
    const history = await it.session.expect('history');
    it.session.send(noPage(history, 'trimmed', { epoch: EPOCH, offset: 8 }));
    await live(it, it.session, 9);
    expect(it.heard()).toEqual(['lost a 8 trimmed', 'a 9 live']);
  });

  test('positions are compared now and then, and a difference is recovered', async () => {
    const it = await following({ positionCheckMs: 40 });
    const same = await it.session.takeSubscribe(5);
    expect(same.subjects).toEqual([{ name: 'a', prefix: false, epoch: EPOCH }]);
    await it.session.takeSubscribe(7);
    expect(await it.session.received.next((message) => message.type === 'history')).toMatchObject({
      since: { epoch: EPOCH, offset: 5 },
    });
    const { positionLosses, recoveries, holes } = it.client.stats();
    expect({ positionLosses, recoveries, holes }).toEqual({ positionLosses: 1, recoveries: 1, holes: 0 });
    expect(it.heard()).toEqual([]);
  });

  test('another epoch in the comparison is reported as a loss', async () => {
    const it = await following({ positionCheckMs: 40 });
    await it.session.takeSubscribe(2, 'epoch-2');
    await live(it, it.session, 3);
    expect(it.heard()).toEqual(['lost a 2 epoch_changed', 'a 3 live']);
    expect(it.client.stats()).toMatchObject({ positionLosses: 1, recoveries: 0 });
  });

  test('the answer to a comparison is ignored after a hole was noticed', async () => {
    const it = await following({ positionCheckMs: 40 });
    const check = await it.session.expect('subscribe');
    it.session.send(delivery('a', 7, 'behind the hole'), subscribed(check, 7));
    const isHistory = (message: native.NativeMessage): boolean => message.type === 'history';
    const history = (await it.session.received.next(isHistory)) as native.History;
    it.session.send(page(history, ['six', 'seven']));
    await live(it, it.session, 8);
    expect(it.heard()).toEqual(['a 6 six', 'a 7 seven', 'a 8 live']);
    expect(it.client.stats()).toMatchObject({ holes: 1, positionLosses: 0, recoveries: 1 });
  });

  test('2,500 channels are compared in frames of at most 1,024', async () => {
    const [client, session] = await fixture.open({ positionCheckMs: 200 });
    const recorder = new Recorder();
    const names = Array.from({ length: 2_500 }, (_, index) => `c${index}`);
    for (const name of names) client.subscribe(name, recorder);
    for (const _ of names) await session.takeSubscribe();
    const compared = new Set<string>();
    while (compared.size < 2_500) {
      const { subjects } = await session.takeSubscribe();
      expect(subjects.length).toBeLessThanOrEqual(1_024);
      for (const { name } of subjects) compared.add(name);
    }
    expect(compared).toEqual(new Set(names));
    expect(client.stats()).toMatchObject({ positionLosses: 0, recoveries: 0 });
  });
});

describe('subscribers of a channel that recovers', () => {
  test("a new one is notified of the others' position, and gets what they get", async () => {
    const it = await following();
    const late = new Recorder();
    const [session, subscribe] = await broken(it.session);
    it.client.subscribe('a', late);
    session.send(subscribed(subscribe, 8));
    session.send(page(await session.expect('history'), ['six'], 8));
    const second = await session.expect('history');
    const later = new Recorder();
    it.client.subscribe('a', later);
    session.send(page(second, ['seven', 'eight']));
    await live(it, session, 9);
    expect(late.events.all).toEqual(['at a 5', 'a 6 six', 'a 7 seven', 'a 8 eight', 'a 9 live']);
    expect(later.events.all).toEqual(['at a 6', 'a 7 seven', 'a 8 eight', 'a 9 live']);
  });

  test('when the last one has left, its pages are ignored, also by one that subscribes again', async () => {
    const it = await following();
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 8));
    const history = await session.expect('history');
    it.client.unsubscribe('a', it.recorder);
    it.client.subscribe('a', it.recorder);
    await session.expect('unsubscribe');
    session.send(page(history, ['six'], 8));
    await session.takeSubscribe(8);
    await live(it, session, 9);
    expect(it.heard()).toEqual(['at a 8', 'a 9 live']);
    expect(session.received.rest).toEqual([]);
  });

  test.each(['unsubscribe', 'close'] as const)('nothing more of a page comes after %s', async (leave) => {
    const it = await following();
    it.client.subscribe('a', {
      deliver: () => {
        if (leave === 'close') it.client.close();
        else it.client.unsubscribe('a', it.recorder);
      },
    });
    const [session, subscribe] = await broken(it.session);
    session.send(subscribed(subscribe, 9));
    session.send(page(await session.expect('history'), ['six', 'seven'], 9));
    if (leave === 'close') await session.raw.closed;
    else await session.expect('history');
    expect(it.heard()).toEqual(['a 6 six']);
  });
});
