import { decodeText, native, type Position, ProtocolError } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeConnection } from '../../testing/fake-connection.ts';
import { historyOf, ModelHub } from '../../testing/model-hub.ts';
import { Requests } from '../connection/requests.ts';
import { ArrivingPage } from '../history/arriving-page.ts';
import { HistoryReads } from '../history/history-reads.ts';
import type { LossReason, Subscriber, Subscription } from './channel-subscription.ts';
import { Subscriptions } from './subscriptions.ts';

const CHANNELS = ['a', 'b'] as const;
type Channel = (typeof CHANNELS)[number];

/** A subscriber that records violations of the promises. */
class Judge implements Subscriber {
  readonly #hub: ModelHub;
  readonly #faults: unknown[];
  #at: Position | undefined;
  readonly #ephemeral = new Set<string>();
  delivered = 0;
  losses = 0;

  get ephemeral(): number {
    return this.#ephemeral.size;
  }

  constructor(hub: ModelHub, faults: unknown[]) {
    this.#hub = hub;
    this.#faults = faults;
  }

  get at(): Position | undefined {
    return this.#at;
  }

  subscribed(_subject: native.Subject, position: Position): void {
    this.#check(() => expect(this.#at, 'a subscription is told once').toBeUndefined());
    this.#at = position;
  }

  deliver(publication: native.Publication): void {
    const last = this.#at;
    if (publication.ephemeral) {
      this.#isEphemeral(publication, last);
      return;
    }
    if (last === undefined) this.#faults.push(new Error('It was delivered before the position was told.'));
    else this.#follows(publication, last);
    this.#at = { epoch: last?.epoch ?? '', offset: publication.number };
    this.delivered += 1;
  }

  lost(subject: native.Subject, position: Position, reason: LossReason): void {
    const last = this.#at;
    if (last === undefined) this.#faults.push(new Error('It was lost before the position was told.'));
    else this.#check(() => this.#isLoss(subject, position, reason, last));
    this.#at = position;
    this.losses += 1;
  }

  /** Asserts that it is the next publication of this history. */
  #follows({ number, payload }: native.Publication, { epoch, offset }: Position): void {
    this.#check(() => {
      expect(number).toBe(offset + 1);
      expect(decodeText(payload)).toBe(`${historyOf(epoch)}:${offset + 1}`);
    });
  }

  /** Asserts that it comes right after the publication whose offset it has, and once. */
  #isEphemeral({ number, payload }: native.Publication, last: Position | undefined): void {
    this.#check(() => {
      const [history, offset, id = ''] = decodeText(payload).split(':');
      expect([history, Number(offset), number]).toEqual([historyOf(last?.epoch ?? ''), last?.offset, number]);
      expect(this.#ephemeral.has(id), 'an ephemeral publication is delivered once').toBe(false);
      this.#ephemeral.add(id);
    });
  }

  #isLoss(subject: native.Subject, position: Position, reason: LossReason, last: Position): void {
    if (reason === 'epoch_changed') {
      expect(historyOf(position.epoch)).not.toBe(historyOf(last.epoch));
      return;
    }
    expect(historyOf(position.epoch)).toBe(historyOf(last.epoch));
    // A loss must not be reported while history has the publications.
    expect(this.#hub.has(subject.name, last.offset)).toBe(false);
  }

  /** Collects failures: an exception here would be uncaught, and not a failure of its run. */
  #check(expectations: () => void): void {
    try {
      expectations();
    } catch (fault) {
      this.#faults.push(fault);
    }
  }
}

interface Judged {
  readonly channel: Channel;
  readonly judge: Judge;
  readonly subscription: Subscription;
}

/** The parts of a client, over a hub that moves when the test says so. */
class Bench {
  readonly hub = new ModelHub();
  readonly requests = new Requests(() => this.hub);
  readonly reads = new HistoryReads(
    { historyInFlightMax: 2, historyWaitingMax: 1_000, publishMs: 1_000_000 },
    this.requests,
  );
  readonly subscriptions = new Subscriptions(this.requests, this.reads, () => {});
  readonly judges = new Map<string, Judged>();
  readonly faults: unknown[] = [];
  asked = 0;
  answered = 0;

  open(): void {
    if (this.hub.isOpen) return;
    this.hub.isOpen = true;
    this.subscriptions.resume();
    this.reads.resume();
  }

  lose(fault: 'break' | 'restart'): void {
    this.hub[fault]();
    this.subscriptions.suspend();
    this.reads.suspend();
  }

  toggle(name: string, channel: Channel): void {
    const found = this.judges.get(name);
    const subject = { name: channel, prefix: false };
    if (found === undefined) {
      const judge = new Judge(this.hub, this.faults);
      this.judges.set(name, { channel, judge, subscription: this.subscriptions.add(subject, judge) });
    } else {
      this.judges.delete(name);
      this.subscriptions.remove({ name: found.channel, prefix: false }, found.judge);
    }
  }

  /** Reads all of a channel after an offset, page by page. */
  read(channel: Channel, offset: number): void {
    const next = (since: Position): void => {
      this.asked += 1;
      this.reads.add(
        { channel, since },
        {
          page: ({ position, publications, more }) => {
            this.answered += 1;
            if (more) next({ epoch: position.epoch, offset: since.offset + publications.length });
          },
          failed: () => {
            this.answered += 1;
          },
        },
        'resend',
      );
    };
    next({ epoch: this.hub.epoch, offset });
  }

  /** Receives one message of the hub. */
  receive(): void {
    let page: ArrivingPage | undefined;
    for (const frame of this.hub.takeDown()) {
      const message = native.decodeNative(frame);
      if (page !== undefined) page.add(message, frame.length);
      else if (message.type === 'page') page = new ArrivingPage(message);
      else if (message.type === 'deliver') this.subscriptions.deliver(message.publication);
      else if (message.type === 'subscribed') this.subscriptions.subscribed(message);
      else if (message.type === 'error') {
        expect(this.requests.find(message.request)).toBeDefined();
        this.requests.reject(message.request, new ProtocolError('internal_error'));
      }
    }
    const whole = page?.whole;
    if (page !== undefined && whole === undefined) throw new Error('The page has an end.');
    if (page !== undefined && whole !== undefined) this.reads.answer(page.request, whole);
  }

  sweep(): void {
    this.subscriptions.retry();
    this.subscriptions.checkPositions(1);
  }

  /** Delivers everything that is in transit, without further faults. */
  settle(): void {
    this.open();
    for (let sweeps = 0; sweeps < 2; sweeps++) {
      this.sweep();
      for (let steps = 0; !this.hub.isIdle; steps++) {
        if (steps > 10_000) throw new Error('It never comes to rest.');
        this.hub.work();
        this.receive();
      }
    }
  }
}

const channel = fc.constantFrom(...CHANNELS);
const NAMES = ['one', 'two', 'three'] as const;

/** One step of a run. Steps that move messages are more frequent than faults. */
const step = fc.oneof(
  { weight: 8, arbitrary: channel.map((name) => (bench: Bench) => bench.hub.publish(name)) },
  {
    weight: 8,
    arbitrary: fc.nat(9).map((refuse) => (bench: Bench) => bench.hub.work(refuse === 0)),
  },
  { weight: 10, arbitrary: fc.constant((bench: Bench) => bench.receive()) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(...NAMES), channel).map(
      ([name, of]) =>
        (bench: Bench) =>
          bench.toggle(name, of),
    ),
  },
  { weight: 3, arbitrary: fc.constant((bench: Bench) => bench.open()) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('break' as const, 'break' as const, 'restart' as const)
      .map((fault) => (bench: Bench) => bench.lose(fault)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(20), fc.constantFrom('lose' as const, 'repeat' as const)).map(
      ([which, how]) =>
        (bench: Bench) =>
          bench.hub.spoilDelivery(which, how),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(channel, fc.nat(4)).map(
      ([of, kept]) =>
        (bench: Bench) =>
          bench.hub.trim(of, kept),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(channel, fc.nat(10)).map(
      ([of, offset]) =>
        (bench: Bench) =>
          bench.read(of, offset),
    ),
  },
  { weight: 1, arbitrary: fc.constant((bench: Bench) => bench.sweep()) },
  { weight: 1, arbitrary: fc.constant((bench: Bench) => bench.hub.rename()) },
  { weight: 4, arbitrary: channel.map((name) => (bench: Bench) => bench.hub.publishEphemeral(name)) },
);

describe('checkPositions', () => {
  const silent: Subscriber = { deliver: () => {} };
  const names = (connection: FakeConnection): string[] =>
    connection.sent
      .splice(0)
      .flatMap((message) => (message.type === 'subscribe' ? message.subjects.map(({ name }) => name) : []));

  /**
   * Creates four channels and a prefix. All are live, but for `new`, and for `holed`, which
   * recovers.
   */
  function fiveSubjects(): [Subscriptions, FakeConnection] {
    const connection = new FakeConnection();
    const requests = new Requests(() => connection);
    const reads = new HistoryReads({ historyInFlightMax: 1, historyWaitingMax: 9, publishMs: 9 }, requests);
    const subscriptions = new Subscriptions(requests, reads, () => {});
    const answered = ['a', 'b', 'holed'].map((name) => ({ name, prefix: false }));
    for (const subject of [...answered, { name: 'prefix', prefix: true }, { name: 'new', prefix: false }])
      subscriptions.add(subject, silent);
    for (const message of connection.sent.splice(0, 4)) {
      if (message.type !== 'subscribe') throw new Error('A subscription is asked for first.');
      const position = { epoch: 'e', offset: 3 };
      const entries = message.subjects.map(({ name, prefix }) => ({
        name,
        prefix,
        position,
        epochIs: 'same' as const,
      }));
      subscriptions.subscribed({ type: 'subscribed', request: message.request, entries });
    }
    const rest = TEXT_FIELDS;
    subscriptions.deliver({ ...rest, channel: 'holed', payload: new Uint8Array(0), number: 9 });
    connection.sent = [];
    return [subscriptions, connection];
  }

  test('requests channels that are live, and none with a pending request', () => {
    const [subscriptions, connection] = fiveSubjects();
    subscriptions.checkPositions(0);
    expect(names(connection)).toEqual([]);
    subscriptions.checkPositions(1);
    expect(names(connection)).toEqual(['a', 'b']);
    subscriptions.checkPositions(1);
    expect(names(connection)).toEqual([]);
  });

  test('requests each channel within shares that add up to 1', () => {
    const [subscriptions, connection] = fiveSubjects();
    const asked: string[] = [];
    for (let share = 0; share < 3; share++) {
      subscriptions.checkPositions(1 / 3);
      asked.push(...names(connection));
    }
    expect(asked.toSorted()).toEqual(['a', 'b']);
  });

  test('requests nothing while disconnected', () => {
    const [subscriptions, connection] = fiveSubjects();
    connection.isOpen = false;
    subscriptions.checkPositions(1);
    expect(names(connection)).toEqual([]);
  });
});

test('a request whose channels are all unsubscribed no longer waits for an answer', () => {
  const connection = new FakeConnection();
  const requests = new Requests(() => connection);
  const reads = new HistoryReads({ historyInFlightMax: 1, historyWaitingMax: 9, publishMs: 9 }, requests);
  const subscriptions = new Subscriptions(requests, reads, () => {});
  const subject = { name: 'a', prefix: false };
  const subscriber = { deliver: () => {} };
  const numbers: number[] = [];
  for (let count = 0; count < 3; count++) {
    subscriptions.add(subject, subscriber);
    for (const message of connection.sent.splice(0)) {
      if (message.type === 'subscribe') numbers.push(message.request);
    }
    subscriptions.remove(subject, subscriber);
  }
  expect(numbers).toHaveLength(3);
  expect(numbers.map((number) => requests.find(number))).toEqual([undefined, undefined, undefined]);
});

describe('whatever happens between hub and client', () => {
  test('each offset is delivered once and in order, or reported as lost; and all reach the position of the hub', () => {
    const seen = {
      delivered: 0,
      losses: 0,
      ephemeral: 0,
      ephemeralDropped: 0,
      renamed: 0,
      recoveries: 0,
      holes: 0,
      positionLosses: 0,
      repeated: 0,
    };
    const run = (steps: readonly ((bench: Bench) => void)[]): void => {
      const bench = new Bench();
      bench.open();
      // Some subscribers leave again; one stays on each channel.
      for (const name of CHANNELS) bench.toggle(`stays on ${name}`, name);
      for (const take of steps) take(bench);
      bench.settle();
      expect(bench.faults).toEqual([]);
      for (const { channel: of, judge, subscription } of bench.judges.values()) {
        // Nothing tells a subscriber that the epoch has another name.
        expect(subscription.position).toEqual(bench.hub.positionOf(of));
        expect(judge.at?.offset).toBe(subscription.offset);
        seen.renamed += judge.at?.epoch === subscription.epoch ? 0 : 1;
        seen.delivered += judge.delivered;
        seen.ephemeral += judge.ephemeral;
        seen.losses += judge.losses;
      }
      expect(bench.answered).toBe(bench.asked);
      expect([bench.reads.inFlight, bench.reads.waiting]).toEqual([0, 0]);
      const stats = bench.subscriptions.stats();
      for (const name of ['ephemeralDropped', 'recoveries', 'holes', 'positionLosses', 'repeated'] as const)
        seen[name] += stats[name];
    };
    fc.assert(fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), run), {
      numRuns: 1_000,
      seed: 20_240_601,
    });
    // A run without any of these would prove nothing.
    for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(50);
  });
});
