import { encodeText, native, type Position, ProtocolError } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Engine, HistoryQuery, SubscribeSlot } from '../engine/engine.ts';
import { Router } from './router.ts';
import type { RequestId, Subscriber } from './subscriber.ts';

/** An engine that records calls, and answers when the test says so. */
class ManualEngine implements Engine {
  readonly calls: string[] = [];
  readonly slots: SubscribeSlot[] = [];
  publishRun?: Exclude<Engine['publishRun'], undefined>;

  start(): Promise<void> {
    return Promise.resolve();
  }
  publish(publication: native.Publication): void {
    this.calls.push(`publish ${publication.channel}`);
  }
  subscribe(subject: native.Subject, slot: SubscribeSlot): void {
    this.calls.push(`subscribe ${textOf(subject)}`);
    this.slots.push(slot);
  }
  unsubscribe(subject: native.Subject): void {
    this.calls.push(`unsubscribe ${textOf(subject)}`);
  }
  boundHistory(): void {
    this.calls.push('bound history');
  }
  history({ channel, since }: HistoryQuery): void {
    this.calls.push(`history ${channel} since ${since.epoch}${since.offset}`);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  stats(): never {
    throw new Error('The router does not need them.');
  }
}

class Recorder implements Subscriber {
  readonly events: string[] = [];
  readonly frames: Uint8Array[] = [];
  readonly acceptsRuns: boolean;

  constructor(acceptsRuns = true) {
    this.acceptsRuns = acceptsRuns;
  }

  deliverRun(frames: Uint8Array, count: number): void {
    this.events.push(`${count} in ${Buffer.from(frames).toString('hex')}`);
  }
  deliver(frame: Uint8Array): void {
    this.frames.push(frame);
    this.events.push(`deliver ${Buffer.from(frame).toString()}`);
  }
  deliverEphemeral(frame: Uint8Array): boolean {
    this.events.push(`deliver ephemeral ${Buffer.from(frame).toString()}`);
    return true;
  }
  subscribed(subject: native.Subject, position: Position, request: RequestId): void {
    this.events.push(`subscribed ${textOf(subject)} at ${position.epoch}${position.offset} for ${request}`);
  }
  subscribeRejected(subject: native.Subject, error: ProtocolError, request: RequestId): void {
    this.events.push(`not subscribed ${textOf(subject)} ${error.code} for ${request}`);
  }
}

const A = channel('a');
const EPOCH = 'e';
let engine: ManualEngine;
let router: Router;
let one: Recorder;
let other: Recorder;

beforeEach(() => {
  engine = new ManualEngine();
  router = new Router(engine);
  one = new Recorder();
  other = new Recorder();
});

function channel(name: string): native.Subject {
  return { name, prefix: false };
}

function prefix(name: string): native.Subject {
  return { name, prefix: true };
}

function textOf(subject: native.Subject): string {
  return subject.prefix ? `${subject.name}*` : subject.name;
}

function answer(index: number, offset: number): void {
  engine.slots[index]?.subscribed({ epoch: EPOCH, offset });
}

function deliver(name: string, offset: number): number {
  return router.deliver(name, offset, Buffer.from(`${name} ${offset}`));
}

describe('a channel', () => {
  test('is subscribed to once for all its subscribers, until the last one has left', () => {
    router.subscribe(A, one, 1);
    router.subscribe(A, other, 2);
    answer(0, 5);
    router.unsubscribe(A, one);
    router.unsubscribe(A, one);
    expect(engine.calls).toEqual(['subscribe a']);
    router.unsubscribe(A, other);
    expect(engine.calls).toEqual(['subscribe a', 'unsubscribe a']);
    expect(router.stats()).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  test('answers all pending requests when it is live, and delivers nothing before', () => {
    router.subscribe(A, one, 'x');
    router.subscribe(A, other, 'y');
    deliver('a', 4);
    answer(0, 5);
    deliver('a', 6);
    expect(one.events).toEqual(['subscribed a at e5 for x', 'deliver a 6']);
    expect(other.events).toEqual(['subscribed a at e5 for y', 'deliver a 6']);
  });

  test('gives a later subscriber the offset of the last delivery', () => {
    router.subscribe(A, one, 1);
    answer(0, 5);
    deliver('a', 6);
    deliver('a', 7);
    router.subscribe(A, other, 2);
    deliver('a', 8);
    expect(other.events).toEqual(['subscribed a at e7 for 2', 'deliver a 8']);
  });

  test('answers a repeated request again, and delivers once', () => {
    router.subscribe(A, one, 1);
    router.subscribe(A, one, 2);
    answer(0, 5);
    router.subscribe(A, one, 3);
    deliver('a', 6);
    expect(one.events).toEqual([
      'subscribed a at e5 for 1',
      'subscribed a at e5 for 2',
      'subscribed a at e5 for 3',
      'deliver a 6',
    ]);
    expect(router.stats().subscriptions).toBe(1);
    router.unsubscribe(A, one);
    expect(router.stats()).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  test('limits the pending requests of one subscriber', () => {
    for (let request = 1; request <= 18; request++) router.subscribe(A, one, request);
    expect(one.events).toEqual([
      'not subscribed a rate_limited for 17',
      'not subscribed a rate_limited for 18',
    ]);
    answer(0, 5);
    expect(one.events).toHaveLength(18);
    expect(router.subscriptionCount(one)).toBe(1);
  });

  test('that was left before the answer is unsubscribed; the late answer is ignored', () => {
    router.subscribe(A, one, 1);
    router.unsubscribe(A, one);
    answer(0, 5);
    deliver('a', 6);
    expect(one.events).toEqual([]);
    expect(engine.calls).toEqual(['subscribe a', 'unsubscribe a']);
    expect(router.stats()).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  test('left and subscribed to again at once waits for its own answer', () => {
    router.subscribe(A, one, 1);
    router.unsubscribe(A, one);
    router.subscribe(A, one, 2);
    answer(0, 5);
    deliver('a', 6);
    expect(one.events).toEqual([]);
    answer(1, 6);
    deliver('a', 7);
    expect(one.events).toEqual(['subscribed a at e6 for 2', 'deliver a 7']);
    expect(engine.calls).toEqual(['subscribe a', 'unsubscribe a', 'subscribe a']);
  });

  test('that the engine rejects leaves nothing behind, and can be requested again', () => {
    router.subscribe(A, one, 1);
    router.subscribe(A, other, 2);
    engine.slots[0]?.subscribeRejected(new ProtocolError('internal_error'));
    expect(one.events).toEqual(['not subscribed a internal_error for 1']);
    expect(other.events).toEqual(['not subscribed a internal_error for 2']);
    expect(router.stats()).toMatchObject({ channels: 0, subscriptions: 0 });
    expect(router.subscriptionCount(one)).toBe(0);
    router.subscribe(A, one, 3);
    answer(1, 1);
    expect(one.events.at(-1)).toBe('subscribed a at e1 for 3');
    // There was no subscription, so there is no unsubscribe.
    expect(engine.calls).toEqual(['subscribe a', 'subscribe a']);
  });
});

describe('prefixes', () => {
  test.each(['$bans', 'group:$all'])('do not match %s, which belongs to the system', (name) => {
    router.subscribe(prefix(name.slice(0, 1)), one, 1);
    router.subscribe(channel(name), other, 2);
    answer(0, 0);
    answer(1, 0);
    deliver(name, 1);
    router.deliverEphemeral(name, Buffer.from('typing'));
    expect(one.events.slice(1)).toEqual([]);
    expect(other.events.slice(1)).toEqual([`deliver ${name} 1`, 'deliver ephemeral typing']);
  });

  test('deliver one copy to a subscriber with several subscriptions to a channel', () => {
    const subjects = [channel('group:1'), prefix('group:'), prefix('g'), prefix('group:1')];
    for (const [index, subject] of subjects.entries()) {
      router.subscribe(subject, one, index);
      answer(index, 0);
    }
    router.subscribe(prefix('group:'), other, 9);
    const bytes = deliver('group:1', 1);
    expect(one.events.filter((event) => event.startsWith('deliver'))).toEqual(['deliver group:1 1']);
    expect(other.events.filter((event) => event.startsWith('deliver'))).toEqual(['deliver group:1 1']);
    expect(bytes).toBe(2 * 'group:1 1'.length);
    expect(router.stats().delivered).toBe(2);
  });

  test('deliver one copy of an ephemeral publication, and do not count one that is dropped', () => {
    other.deliverEphemeral = () => false;
    for (const [index, subject] of [channel('c'), prefix('c'), prefix('')].entries()) {
      router.subscribe(subject, one, index);
      router.subscribe(subject, other, index);
      answer(index, 0);
    }
    expect(router.deliverEphemeral('c', Buffer.from('typing'))).toBe('typing'.length);
    expect(one.events.filter((event) => event.startsWith('deliver'))).toEqual(['deliver ephemeral typing']);
    expect(router.stats().delivered).toBe(1);
  });

  test('still deliver when the other subscription ends', () => {
    router.subscribe(channel('group:1'), one, 1);
    router.subscribe(prefix('group:'), one, 2);
    answer(0, 0);
    answer(1, 0);
    router.unsubscribe(channel('group:1'), one);
    deliver('group:1', 1);
    router.unsubscribe(prefix('group:'), one);
    deliver('group:1', 2);
    expect(one.events.filter((event) => event.startsWith('deliver'))).toEqual(['deliver group:1 1']);
  });

  test('serve a subscriber whose channel of the same name is not live yet', () => {
    router.subscribe(prefix('group:'), one, 1);
    router.subscribe(channel('group:1'), one, 2);
    answer(0, 0);
    deliver('group:1', 1);
    answer(1, 1);
    deliver('group:1', 2);
    expect(one.events.slice(1)).toEqual([
      'deliver group:1 1',
      'subscribed group:1 at e1 for 2',
      'deliver group:1 2',
    ]);
  });

  test('a prefix and a channel of the same name are two subjects', () => {
    router.subscribe(prefix('a'), one, 1);
    router.subscribe(channel('a'), one, 2);
    expect(router.subscriptionCount(one)).toBe(2);
    expect(engine.calls).toEqual(['subscribe a*', 'subscribe a']);
  });
});

describe('the end of a subscriber', () => {
  test('ends all its subscriptions', () => {
    router.subscribe(A, one, 1);
    router.subscribe(prefix('b'), one, 2);
    router.subscribe(channel('c'), one, 3);
    router.subscribe(channel('c'), other, 4);
    answer(0, 0);
    answer(1, 0);
    router.remove(one);
    router.remove(one);
    answer(2, 0);
    expect(engine.calls.slice(3)).toEqual(['unsubscribe a', 'unsubscribe b*']);
    expect(router.stats()).toMatchObject({ channels: 1, prefixes: 0, subscriptions: 1 });
    expect(one.events).toHaveLength(2);
    expect(other.events).toEqual(['subscribed c at e0 for 4']);
  });
});

test('counts publications and copies, and delivers to subscribers only', () => {
  router.subscribe(A, one, 1);
  router.subscribe(channel('b'), other, 1);
  answer(0, 0);
  answer(1, 0);
  const publication = native.decodePublication(
    native.encodePublish({
      channel: 'a',
      ...TEXT_FIELDS,
      payload: new Uint8Array(),
      number: 0,
    }),
  );
  const slot = { publisher: 1, published(): void {}, publishRejected(): void {} };
  router.publish(publication, new Uint8Array(), slot, 0);
  expect(deliver('a', 1)).toBe(3);
  expect(deliver('unknown', 1)).toBe(0);
  expect(other.events).toEqual(['subscribed b at e0 for 1']);
  expect(router.stats()).toMatchObject({ published: 1, delivered: 1, channels: 2, subscriptions: 2 });
});

describe('runs', () => {
  const BYTES = Buffer.from('00000005aa00000005bb00000005cc00000005dd', 'hex');

  /** Makes the engine deliver frames of BYTES in one run. */
  function publishRun(deliver: (from: (index: number) => [number, number]) => void): number {
    engine.publishRun = () => deliver((index) => [index * 5, index * 5 + 5]);
    const slot = { publisher: 1, published: () => {}, publishRejected: () => {} };
    return router.publishRun(BYTES, 0, BYTES.length, 4, slot);
  }

  /** Subscribes the subscribers of each list to one of the channels a, b and so on. */
  function subscribeAll(...audiences: Subscriber[][]): SubscribeSlot[] {
    for (const [index, audience] of audiences.entries()) {
      for (const subscriber of audience) router.subscribe(channel('abcd'[index] ?? ''), subscriber, 1);
      answer(index, 0);
    }
    one.events.length = 0;
    other.events.length = 0;
    return engine.slots;
  }

  test('frames side by side for the same subscribers are one slice for each, whatever their channels', () => {
    const slots = subscribeAll([one, other], [one, other], [one], [one, other]);
    const bytes = publishRun((from) => {
      for (const [index, slot] of slots.entries()) slot.deliverRun(1, BYTES, ...from(index), 1);
    });
    expect(one.events).toEqual(['2 in 00000005aa00000005bb', '1 in 00000005cc', '1 in 00000005dd']);
    expect(other.events).toEqual(['2 in 00000005aa00000005bb', '1 in 00000005dd']);
    expect(bytes).toBe(35);
    expect(router.stats()).toMatchObject({ published: 4, delivered: 7 });
  });

  test('frames that are not side by side are separate slices', () => {
    const [slot] = subscribeAll([one]);
    publishRun((from) => {
      if (slot === undefined) return;
      slot.deliverRun(1, BYTES, ...from(0), 1);
      slot.deliverRun(2, BYTES, ...from(2), 1);
      slot.deliverRun(3, Buffer.from(BYTES), ...from(3), 1);
    });
    expect(one.events).toEqual(['1 in 00000005aa', '1 in 00000005cc', '1 in 00000005dd']);
  });

  test('a subscriber that leaves during a delivery gets nothing after it', () => {
    const leaver = new Recorder();
    const { deliverRun } = leaver;
    leaver.deliverRun = (frames, count) => {
      deliverRun.call(leaver, frames, count);
      router.remove(leaver);
    };
    const slots = subscribeAll([leaver], [leaver, one]);
    for (let count = 0; count < 2; count++) {
      publishRun((from) => {
        for (const [index, slot] of slots.entries()) slot.deliverRun(count + 1, BYTES, ...from(index), 1);
      });
    }
    expect(leaver.events.filter((event) => event.includes(' in '))).toEqual(['1 in 00000005aa']);
    expect(one.events).toEqual(['1 in 00000005bb', '1 in 00000005bb']);
  });

  test('subscribers that accept no runs share the same frames', () => {
    const [single, another] = [new Recorder(false), new Recorder(false)];
    const [slot] = subscribeAll([single, one, another]);
    publishRun(() => {
      if (slot !== undefined) slot.deliverRun(2, BYTES, 0, 10, 2);
    });
    expect(one.events).toEqual(['2 in 00000005aa00000005bb']);
    expect(single.frames.map((frame) => Buffer.from(frame).toString('hex'))).toEqual([
      '00000005aa',
      '00000005bb',
    ]);
    expect(another.frames[0]).toBe(single.frames[0]);
    expect(another.frames[1]).toBe(single.frames[1]);
  });

  test('changes of subscribers between two runs count, though channels shared them before', () => {
    const slots = subscribeAll([one, other], [one, other]);
    const deliverBoth = (from: (index: number) => [number, number]): void => {
      for (const [index, slot] of slots.entries()) slot.deliverRun(1, BYTES, ...from(index), 1);
    };
    publishRun(deliverBoth);
    router.unsubscribe(channel('b'), other);
    publishRun(deliverBoth);
    expect(other.events).toEqual(['2 in 00000005aa00000005bb', '1 in 00000005aa']);
    expect(one.events).toEqual(['2 in 00000005aa00000005bb', '1 in 00000005aa', '1 in 00000005bb']);
  });

  test('a delivery outside of the run keeps its order with the run', () => {
    const [slot] = subscribeAll([one]);
    publishRun((from) => {
      if (slot === undefined) return;
      slot.deliverRun(1, BYTES, ...from(0), 1);
      router.deliver('a', 2, encodeText('x'));
      slot.deliverRun(3, BYTES, ...from(1), 1);
      router.deliverEphemeral('a', encodeText('y'));
      slot.deliverRun(4, BYTES, ...from(2), 1);
    });
    const expected = ['1 in 00000005aa', 'deliver x', '1 in 00000005bb', 'deliver ephemeral y'];
    expect(one.events).toEqual([...expected, '1 in 00000005cc']);
  });

  test('frames before a failure are delivered', () => {
    const [slot] = subscribeAll([one]);
    const failing = (): unknown =>
      publishRun(() => {
        if (slot !== undefined) slot.deliverRun(1, BYTES, 0, 5, 1);
        throw new ProtocolError('bad_channel');
      });
    expect(failing).toThrow(ProtocolError);
    expect(one.events).toEqual(['1 in 00000005aa']);
  });
});
