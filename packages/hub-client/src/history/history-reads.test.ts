import { type Position, ProtocolError } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { FakeConnection } from '../../testing/fake-connection.ts';
import { useUncaught } from '../../testing/use-uncaught.ts';
import { Requests } from '../connection/requests.ts';
import type { HistoryAnswer, HistoryPage, HistoryRead } from './history-page.ts';
import { HistoryReads } from './history-reads.ts';

const OPTIONS = { historyInFlightMax: 2, historyWaitingMax: 100, publishMs: 1_000_000 };
const NEVER = Number.POSITIVE_INFINITY;
const START: Position = { epoch: 'e', offset: 0 };

const uncaught = useUncaught();

function emptyPage(offset = 0): HistoryPage {
  const position = { epoch: 'e', offset };
  return { verdict: 'recovered', position, epochIs: 'same', publications: [], more: false };
}

/** Records the outcome of each read. */
class Desk {
  readonly connection = new FakeConnection();
  readonly requests = new Requests(() => this.connection);
  readonly reads: HistoryReads;
  readonly heard: string[] = [];

  constructor(options: Partial<typeof OPTIONS> = {}) {
    this.reads = new HistoryReads({ ...OPTIONS, ...options }, this.requests);
  }

  answer(name: string): HistoryAnswer {
    return {
      page: ({ position }) => this.heard.push(`${name} ${position.offset}`),
      failed: ({ code }) => this.heard.push(`${name} ${code}`),
    };
  }

  ask(name: string, channel = name, since = START, afterBreak: 'resend' | 'drop' = 'resend'): HistoryRead {
    return this.reads.add({ channel, since }, this.answer(name), afterBreak);
  }

  askFor(owner: object, name: string, channel = name): HistoryRead {
    return this.reads.add({ channel, since: START }, this.answer(name), 'resend', owner);
  }

  /** Returns the channels of the HISTORY requests since the last call. */
  asked(): string[] {
    return this.connection.takeHistories().map(({ channel }) => channel);
  }
}

describe('HistoryReads', () => {
  test('limits the requests in flight, and keeps the others in order', () => {
    const desk = new Desk();
    for (const name of ['a', 'b', 'c', 'd', 'e']) desk.ask(name);
    const [a, b, ...more] = desk.connection.takeHistories();
    expect([a?.channel, b?.channel, more.length]).toEqual(['a', 'b', 0]);
    expect(a).toMatchObject({ request: 1, since: START });
    desk.reads.answer(b!.request, emptyPage());
    desk.reads.answer(b!.request, emptyPage());
    expect(desk.asked()).toEqual(['c']);
    desk.reads.answer(a!.request, emptyPage());
    expect(desk.asked()).toEqual(['d']);
    desk.ask('f');
    expect(desk.heard).toEqual(['b 0', 'a 0']);
    expect([desk.reads.inFlight, desk.reads.waiting, desk.reads.sent]).toEqual([2, 4, 4]);
  });

  test('owners come in turn, however many reads each has', () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    const [greedy, one, two] = [{}, {}, {}];
    for (const name of ['g1', 'g2', 'g3', 'g4']) desk.askFor(greedy, name);
    desk.askFor(one, 'a1');
    desk.askFor(one, 'a2');
    for (let request = 1; request <= 3; request++) desk.reads.answer(request, emptyPage());
    desk.askFor(two, 'b1');
    for (let request = 4; request <= 7; request++) desk.reads.answer(request, emptyPage());
    // The first one was sent before the other owners came.
    expect(desk.asked()).toEqual(['g1', 'g2', 'a1', 'g3', 'a2', 'g4', 'b1']);
    expect([desk.reads.inFlight, desk.reads.waiting]).toEqual([0, 0]);
  });

  test('new owners do not overtake an owner that had a turn', () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    const patient = {};
    for (const name of ['p1', 'p2', 'p3']) desk.askFor(patient, name);
    for (let request = 1; request <= 4; request++) {
      desk.askFor({}, `new ${request}`);
      desk.reads.answer(request, emptyPage());
    }
    expect(desk.asked()).toEqual(['p1', 'p2', 'new 1', 'p3', 'new 2']);
  });

  test('a read of two owners is sent once, in the first turn of either', () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    const [long, short] = [{}, {}];
    desk.askFor(long, 'first');
    for (const name of ['l1', 'l2', 'shared']) desk.askFor(long, name);
    desk.askFor(short, 's', 'shared');
    for (let request = 1; request <= 4; request++) desk.reads.answer(request, emptyPage());
    expect(desk.asked()).toEqual(['first', 'l1', 'shared', 'l2']);
    expect(desk.heard).toEqual(['first 0', 'l1 0', 'shared 0', 's 0', 'l2 0']);
  });

  test('a read that is cancelled before its turn is not sent, and has no outcome', () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    const underWay = desk.ask('a');
    const waiting = desk.ask('b');
    const shared = desk.ask('c1', 'c');
    desk.ask('c2', 'c');
    waiting.cancel();
    waiting.cancel();
    shared.cancel();
    underWay.cancel();
    expect(desk.reads.waiting).toBe(1);
    desk.reads.answer(1, emptyPage());
    desk.reads.answer(2, emptyPage());
    expect(desk.asked()).toEqual(['a', 'c']);
    expect(desk.heard).toEqual(['c2 0']);
    expect([desk.reads.inFlight, desk.reads.waiting]).toEqual([0, 0]);
  });

  test('a read that is cancelled in flight stays in flight until it is answered, and may be joined again', () => {
    const desk = new Desk({ historyInFlightMax: 2 });
    for (let count = 0; count < 100; count++) desk.ask(`${count}`).cancel();
    expect(desk.asked()).toEqual(['0', '1']);
    expect([desk.reads.inFlight, desk.reads.waiting]).toEqual([2, 0]);
    desk.ask('again', '1');
    desk.ask('next');
    desk.reads.answer(2, emptyPage());
    expect(desk.heard).toEqual(['again 0']);
    expect(desk.asked()).toEqual(['next']);
    desk.reads.answer(1, emptyPage());
    desk.reads.answer(3, emptyPage());
    expect([desk.reads.inFlight, desk.heard]).toEqual([0, ['again 0', 'next 0']]);
  });

  test('a read without callers is not sent again on the next connection, and expires like others', () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    desk.ask('gone').cancel();
    desk.ask('kept');
    desk.reads.suspend();
    desk.reads.resume();
    expect(desk.asked()).toEqual(['gone', 'kept']);
    desk.reads.answer(2, emptyPage());
    desk.ask('hung').cancel();
    desk.ask('next');
    desk.reads.expire(performance.now());
    expect(desk.asked()).toEqual(['hung']);
    desk.reads.expire(performance.now() + OPTIONS.publishMs / 2);
    desk.reads.expire(NEVER);
    expect([desk.heard, desk.reads.inFlight]).toEqual([['kept 0', 'next hub_unavailable'], 0]);
  });

  test('its own recovery precedes all others, and is never rejected', () => {
    const desk = new Desk({ historyInFlightMax: 1, historyWaitingMax: 3 });
    for (const name of ['a', 'b', 'c', 'd']) desk.ask(name);
    expect(desk.heard).toEqual(['d hub_unavailable']);
    desk.ask('own', 'own', START, 'drop');
    const [first] = desk.connection.takeHistories();
    expect(first?.channel).toBe('a');
    desk.reads.answer(first!.request, emptyPage());
    const [next] = desk.connection.takeHistories();
    expect(next?.channel).toBe('own');
    desk.reads.answer(next!.request, emptyPage());
    expect(desk.asked()).toEqual(['b']);
  });

  test('sends one request for equal reads, waiting or in flight', () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    desk.ask('1', 'a');
    desk.ask('2', 'a');
    desk.ask('3', 'b');
    desk.ask('4', 'b');
    desk.reads.answer(1, emptyPage());
    desk.reads.answer(2, emptyPage());
    expect(desk.asked()).toEqual(['a', 'b']);
    expect(desk.heard).toEqual(['1 0', '2 0', '3 0', '4 0']);
    expect([desk.reads.inFlight, desk.reads.waiting]).toEqual([0, 0]);
    desk.ask('5', 'a');
    expect(desk.asked()).toEqual(['a']);
  });

  test('keeps reads apart that differ in the channel, the offset or the epoch', () => {
    const desk = new Desk({ historyInFlightMax: 10 });
    desk.ask('', 'a', { epoch: 'e', offset: 1 });
    desk.ask('', 'b', { epoch: 'e', offset: 1 });
    desk.ask('', 'a', { epoch: 'f', offset: 1 });
    desk.ask('', 'a', { epoch: 'e', offset: 11 });
    desk.ask('', '1 a', { epoch: 'e', offset: 1 });
    desk.ask('', 'a', { epoch: 'e\0', offset: 1 });
    expect(desk.asked()).toHaveLength(6);
  });

  test('rejects reads above the limit', () => {
    const desk = new Desk({ historyWaitingMax: 2 });
    desk.ask('1', 'a');
    desk.ask('2', 'a');
    desk.ask('3', 'a');
    expect(desk.heard).toEqual(['3 hub_unavailable']);
    desk.reads.answer(1, emptyPage());
    desk.ask('4', 'a');
    expect(desk.heard.slice(1)).toEqual(['1 0', '2 0']);
    expect(desk.reads.waiting).toBe(1);
  });

  test('rejects all callers of a read with the error of the hub', () => {
    const desk = new Desk();
    desk.ask('1', 'a');
    desk.ask('2', 'a');
    for (const request of [7, 1, 1]) desk.requests.reject(request, new ProtocolError('internal_error'));
    expect(desk.heard).toEqual(['1 internal_error', '2 internal_error']);
  });

  test('sends nothing while disconnected, and sends lost requests again in their order', () => {
    const desk = new Desk();
    desk.connection.isOpen = false;
    for (const name of ['a', 'b', 'c']) desk.ask(name);
    expect(desk.asked()).toEqual([]);
    desk.connection.isOpen = true;
    desk.reads.resume();
    expect(desk.asked()).toEqual(['a', 'b']);
    desk.reads.answer(1, emptyPage());
    expect(desk.asked()).toEqual(['c']);

    desk.connection.isOpen = false;
    desk.reads.suspend();
    desk.ask('d');
    desk.connection.isOpen = true;
    desk.reads.resume();
    expect(desk.connection.takeHistories().map(({ channel, request }) => [channel, request])).toEqual([
      ['b', 4],
      ['c', 5],
    ]);
    // An answer to a request of the lost connection is ignored.
    desk.reads.answer(2, emptyPage(9));
    desk.reads.answer(5, emptyPage());
    expect(desk.heard).toEqual(['a 0', 'c 0']);
    expect(desk.asked()).toEqual(['d']);
  });

  test("drops the client's own recovery after a lost connection, and nothing else", () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    desk.ask('under way', 'a', START, 'drop');
    desk.ask('waiting', 'b', START, 'drop');
    desk.ask('shared', 'c', START, 'drop');
    desk.ask('kept', 'c', START, 'resend');
    desk.asked();
    desk.reads.suspend();
    expect([desk.reads.inFlight, desk.reads.waiting]).toEqual([0, 1]);
    desk.reads.resume();
    const [c, ...more] = desk.connection.takeHistories();
    expect(more).toEqual([]);
    desk.reads.answer(c!.request, emptyPage());
    expect(desk.heard).toEqual(['kept 0']);
  });

  test('fails reads that expire, waiting or in flight, and continues with the others', () => {
    const desk = new Desk({ historyInFlightMax: 1, publishMs: 0 });
    desk.ask('old', 'a');
    desk.ask('old too', 'b');
    const young = new HistoryReads({ ...OPTIONS, publishMs: 1_000_000 }, desk.requests);
    young.add({ channel: 'c', since: START }, desk.answer('young'), 'resend');
    expect(desk.asked()).toEqual(['a', 'c']);
    const nowMs = performance.now();
    desk.reads.expire(nowMs);
    young.expire(nowMs);
    expect(desk.heard).toEqual(['old hub_unavailable', 'old too hub_unavailable']);
    desk.ask('new', 'd');
    expect(desk.asked()).toEqual(['d']);
    desk.reads.answer(1, emptyPage());
    expect(desk.heard).toHaveLength(2);
    expect([desk.reads.inFlight, desk.reads.waiting, young.waiting]).toEqual([1, 1, 1]);
  });

  test('keeps a read in flight for callers that have not expired', () => {
    const desk = new Desk({ publishMs: 20 });
    desk.ask('early', 'a');
    const asked = performance.now();
    while (performance.now() < asked + 10);
    desk.ask('late', 'a');
    desk.reads.expire(asked + 25);
    expect(desk.heard).toEqual(['early hub_unavailable']);
    desk.reads.answer(1, emptyPage());
    expect(desk.heard).toEqual(['early hub_unavailable', 'late 0']);
  });

  test('fails everything at the end', () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    for (const name of ['a', 'b', 'c']) desk.ask(name);
    desk.reads.failAll(new ProtocolError('hub_unavailable'));
    desk.reads.expire(NEVER);
    expect(desk.heard).toEqual(['a', 'b', 'c'].map((name) => `${name} hub_unavailable`));
    expect([desk.reads.inFlight, desk.reads.waiting]).toEqual([0, 0]);
  });

  test('a callback that throws does not affect the others', async () => {
    const desk = new Desk();
    const thrown = new TypeError('thrown');
    const thrower = (): void => {
      throw thrown;
    };
    desk.reads.add({ channel: 'a', since: START }, { page: thrower, failed: thrower }, 'resend');
    desk.ask('behind', 'a');
    desk.reads.answer(1, emptyPage());
    expect(desk.heard).toEqual(['behind 0']);
    expect(await uncaught.errors.next()).toBe(thrown);
  });

  test('an invalid page is an error of the hub, and the read is sent again on the next connection', () => {
    const desk = new Desk();
    desk.ask('a');
    expect(() => desk.reads.answer(1, emptyPage(5))).toThrow(expect.objectContaining({ code: 'bad_frame' }));
    desk.reads.suspend();
    desk.reads.resume();
    desk.reads.answer(2, emptyPage());
    expect(desk.heard).toEqual(['a 0']);
  });

  test('a callback may start the next read, which waits for its turn', () => {
    const desk = new Desk({ historyInFlightMax: 1 });
    const pages: number[] = [];
    const read = (offset: number): void => {
      const page: HistoryAnswer['page'] = ({ position }) => {
        pages.push(position.offset);
        if (offset < 3) read(offset + 1);
      };
      desk.reads.add({ channel: 'a', since: { epoch: 'e', offset } }, { page, failed: () => {} }, 'resend');
    };
    read(0);
    desk.ask('other', 'b');
    for (let request = 1; request <= 5; request++) {
      const [history] = desk.connection.takeHistories();
      desk.reads.answer(history!.request, emptyPage(history!.since.offset));
    }
    expect(pages).toEqual([0, 1, 2, 3]);
    expect(desk.heard).toEqual(['other 0']);
  });

  test('finds the next of very many reads without a look at all of them', () => {
    const desk = new Desk({ historyInFlightMax: 1, historyWaitingMax: 50_000 });
    for (let index = 0; index < 50_000; index++) desk.ask(`${index}`);
    for (let request = 1; request <= 50_000; request++) {
      desk.reads.answer(request, emptyPage());
      // Later reads do not overtake.
      if (request === 25_000) expect(desk.asked().slice(-2)).toEqual(['24999', '25000']);
    }
    expect(desk.heard).toHaveLength(50_000);
    expect(desk.heard.at(-1)).toBe('49999 0');
  });
});
