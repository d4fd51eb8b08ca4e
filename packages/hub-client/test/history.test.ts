import { decodeText, native, type Position, type ProtocolError } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { HistoryFrom, HistoryPage } from '../src/history/history-page.ts';
import type { HubClient } from '../src/hub-client.ts';
import { EPOCH, noPage, page, published } from '../testing/fake-hub.ts';
import { nextState, Recorder, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();
const SINCE: Position = { epoch: EPOCH, offset: 5 };

function read(client: HubClient, channel: string, from: HistoryFrom = SINCE): Promise<HistoryPage> {
  return new Promise((resolve, reject) => {
    client.history(channel, from, { page: resolve, failed: reject });
  });
}

/** Resolves with the code that a read fails with. */
async function failure(reading: Promise<HistoryPage>): Promise<string> {
  return reading.then(
    () => 'a page',
    ({ code }: ProtocolError) => code,
  );
}

function textsOf({ publications }: HistoryPage): string[] {
  return publications.map(({ number, payload }) => `${number} ${decodeText(payload)}`);
}

describe('history', () => {
  test('returns the publications after a position, page by page, without a subscription', async () => {
    const [client, session] = await fixture.open();
    const first = read(client, 'a');
    expect(await session.takeHistory(['six', 'seven'], 9)).toMatchObject({ channel: 'a', since: SINCE });
    expect(textsOf(await first)).toEqual(['6 six', '7 seven']);
    expect((await first).position).toEqual({ epoch: EPOCH, offset: 9 });
    expect(await first).toMatchObject({ verdict: 'recovered', more: true });
    const second = read(client, 'a', { epoch: EPOCH, offset: 9 });
    await session.takeHistory([]);
    expect(await second).toEqual({
      verdict: 'recovered',
      position: { epoch: EPOCH, offset: 9 },
      epochIs: 'same',
      publications: [],
      more: false,
    });
    expect(client.stats()).toMatchObject({ historyReads: 2, historyWaiting: 0, delivered: 0, subjects: 0 });
  });

  test.each(['epoch_changed', 'trimmed'] as const)(
    'says %s, and where the channel stands',
    async (verdict) => {
      const [client, session] = await fixture.open();
      const position = { epoch: 'epoch-2', offset: 90 };
      const reading = read(client, 'a', { epoch: '-', offset: 0 });
      session.send(noPage(await session.expect('history'), verdict, position));
      expect(await reading).toEqual({ verdict, position, epochIs: 'changed', publications: [], more: false });
    },
  );

  test('returns the newest publications, and more after them', async () => {
    const [client, session] = await fixture.open();
    const newest = read(client, 'a', { last: 3 });
    const asked = await session.expect('history');
    expect(asked).toMatchObject({ channel: 'a', last: 3, snapshot: false, since: { epoch: '', offset: 0 } });
    // The hub has 7, 8 and 9, and two of them fit a page.
    session.send(page({ ...asked, since: { epoch: EPOCH, offset: 6 } }, ['seven', 'eight'], 9));
    expect(textsOf(await newest)).toEqual(['7 seven', '8 eight']);
    const { position, more } = await newest;
    expect(more).toBe(true);
    const rest = read(client, 'a', { epoch: position.epoch, offset: 8 });
    await session.takeHistory(['nine']);
    expect(textsOf(await rest)).toEqual(['9 nine']);
    expect((await rest).more).toBe(false);
  });

  test('returns no publications where history has none', async () => {
    const [client, session] = await fixture.open();
    const newest = read(client, 'a', { last: 3 });
    const asked = await session.expect('history');
    session.send(page({ ...asked, since: { epoch: EPOCH, offset: 9 } }, []));
    expect(await newest).toMatchObject({ verdict: 'recovered', publications: [], more: false });
  });

  test('a snapshot that was not requested ends the connection', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const outcome = failure(read(client, 'a'));
    const { request } = await session.expect('history');
    const position = { epoch: EPOCH, offset: 5 };
    session.send(native.encodePage({ request, verdict: 'snapshot', position, count: 0 }));
    const { error } = await nextState(states, 'waiting');
    expect(error).toMatchObject({ cause: { code: 'bad_frame' } });
    client.close();
    expect(await outcome).toBe('hub_unavailable');
  });

  test('sends one request for 5,000 equal reads', async () => {
    const [client, session] = await fixture.open();
    const readings = Array.from({ length: 5_000 }, () => read(client, 'a'));
    expect(client.stats()).toMatchObject({ historyReads: 1, historyWaiting: 5_000 });
    await session.takeHistory(['six']);
    for (const whole of await Promise.all(readings)) expect(textsOf(whole)).toEqual(['6 six']);
    expect(session.received.rest).toEqual([]);
    expect(client.stats()).toMatchObject({ historyReads: 1, historyWaiting: 0 });
  });

  test('limits the requests in flight to the option', async () => {
    const [client, session] = await fixture.open({ historyInFlightMax: 2 });
    const readings = ['a', 'b', 'c'].map((channel) => read(client, channel));
    const publish = client.publish('p', 'x');
    const [a, b] = [await session.expect('history'), await session.expect('history')];
    const { publication } = await session.expect('publish');
    session.send(published(publication.number, 1), page(b, ['of b']));
    await publish;
    const c = await session.expect('history');
    session.send(page(c, ['of c']), page(a, ['of a']));
    expect((await Promise.all(readings)).map(textsOf)).toEqual([['6 of a'], ['6 of b'], ['6 of c']]);
  });

  test('rejects with the error of the hub', async () => {
    const [client, session] = await fixture.open();
    const reading = read(client, 'a');
    const { request } = await session.expect('history');
    session.send(native.encodeError({ request, code: 'rate_limited', message: 'Not now.' }));
    await expect(reading).rejects.toMatchObject({ code: 'rate_limited', message: 'Not now.' });
    expect(client.state).toBe('open');
  });

  test('is rejected without a request when it is invalid, or too many are pending', async () => {
    const client = fixture.client({ historyWaitingMax: 1 });
    expect(await failure(read(client, ''))).toBe('bad_channel');
    for (const since of [
      { epoch: EPOCH, offset: -1 },
      { epoch: EPOCH, offset: 1.5 },
      { epoch: EPOCH, offset: 2 ** 53 },
      { epoch: 'é'.repeat(128), offset: 1 },
      { epoch: '\ud800', offset: 1 },
    ]) {
      expect(await failure(read(client, 'a', since))).toBe('bad_field');
    }
    const waits = failure(read(client, 'a'));
    expect(await failure(read(client, 'b'))).toBe('hub_unavailable');
    client.close();
    expect(await waits).toBe('hub_unavailable');
    expect(await failure(read(client, 'a'))).toBe('hub_unavailable');
  });

  test('waits while disconnected, and is sent again after a lost connection', async () => {
    const client = fixture.client();
    const readings = [read(client, 'a'), read(client, 'b')];
    client.connect();
    const session = await fixture.hub.welcome();
    await session.takeHistory(['of a']);
    await readings[0];
    await session.expect('history');
    session.raw.reset();
    const next = await fixture.hub.welcome();
    expect(await next.takeHistory(['of b'])).toMatchObject({ channel: 'b', since: SINCE });
    expect((await Promise.all(readings)).map(textsOf)).toEqual([['6 of a'], ['6 of b']]);
  });

  test('fails when the hub does not return, or does not answer, in time', async () => {
    const client = fixture.client({ publishMs: 20 });
    const states = statesOf(client);
    client.connect();
    expect(await failure(read(client, 'a'))).toBe('hub_unavailable');
    const session = await fixture.hub.welcome();
    await nextState(states, 'open');
    expect(await failure(read(client, 'a'))).toBe('hub_unavailable');
    const late = await session.expect('history');
    expect(client.stats().historyWaiting).toBe(0);
    // The late answer is ignored, and does not affect those after it.
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    session.send(page(late, ['six', 'seven']));
    await session.takeSubscribe(7);
    expect(await recorder.events.next()).toBe('at a 7');
  });

  test('a hub with an invalid answer is disconnected, and the read is sent to the next one', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const reading = read(client, 'a');
    const history = await session.expect('history');
    session.send(page({ ...history, channel: 'b' }, ['six']));
    const { error } = await nextState(states, 'waiting');
    expect(error).toMatchObject({ code: 'hub_unavailable', cause: { code: 'bad_frame' } });
    await (await fixture.hub.welcome()).takeHistory(['six']);
    expect(textsOf(await reading)).toEqual(['6 six']);
  });
});
