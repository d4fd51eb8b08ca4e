import { CommandError } from '@groupcast/protocol/schema';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMember, OPEN } from '../../testing/fake-member.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { type Counters, createCounters } from '../admin/gateway-stats.ts';
import { V1 } from '../client-protocols/v1/protocol.ts';
import { completeOptions } from '../options.ts';
import { TimingWheel } from '../timing-wheel.ts';
import { Groups } from './groups.ts';

let hub: LoopbackHub;
let wheel: TimingWheel;
let counters: Counters;
let groups: Groups;

beforeEach(() => {
  hub = new LoopbackHub();
  hub.pageMax = 2;
  wheel = new TimingWheel();
  counters = createCounters();
  groups = new Groups(completeOptions({ hub, wheel, recoveryMessagesMax: 10 }), counters, OPEN);
});

/** Resolves after a few turns, in which the hub answers. */
async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function advanceWheel(seconds: number): void {
  for (let tick = 0; tick < seconds; tick++) wheel.tick();
}

function publish(count: number): void {
  for (let index = 0; index < count; index++) hub.publish('group:g', 'x');
}

function at(offset: number, epoch = 'epoch-1') {
  return { epoch, offset };
}

function v1(id = 'v1'): FakeMember {
  return new FakeMember(id, V1);
}

/** Returns the offsets of messages and the other events that a member got. */
function gotBy(member: FakeMember): unknown[] {
  return member.got.map((event) => {
    const { type, offset } = event as { type: string; offset: number };
    return type === 'message' ? offset : event;
  });
}

function ack(id: number, offset: number, more: object = {}): object {
  return { type: 'ack', id, group_id: 'g', epoch: 'epoch-1', offset, ...more };
}

const recovered = { recovered: true };

function reads(): number {
  return hub.calls.filter(({ name }) => name === 'history').length;
}

describe('a join with a position', () => {
  test('is acked first, then the missed messages follow page by page, then new ones', async () => {
    publish(7);
    const member = v1();
    groups.join(member, 'g', 1, at(2));
    expect(member.memberships.length).toBe(1);
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 7, recovered), 3, 4, 5, 6, 7]);
    publish(1);
    await turns();
    expect(gotBy(member).slice(-1)).toEqual([8]);
    expect(reads()).toBe(3);
    expect(groups.recovering).toBe(0);
    expect(counters).toMatchObject({ recoveredMessages: 5, delivered: 6, joins: 1, gaps: 0 });
    expect(counters.recoveries).toEqual({ recovered: 1, epoch_changed: 0, trimmed: 0, limit: 0 });
    advanceWheel(1);
    expect(wheel.waiting).toBe(0);
  });

  test('gets messages that arrive during its recovery once', async () => {
    publish(6);
    hub.byHand = true;
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    hub.catchUp('group:g', 0);
    for (let page = 0; page < 4; page++) {
      hub.answerReads();
      publish(1);
      await turns();
    }
    hub.answerReads();
    publish(1);
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 6, recovered), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(groups.recovering).toBe(0);
  });

  test('gets ephemeral messages from its end on', async () => {
    publish(4);
    hub.byHand = true;
    const [live, member] = [v1('live'), v1()];
    groups.join(live, 'g', undefined);
    groups.join(member, 'g', 1, at(0));
    hub.catchUp('group:g', 0);
    hub.answerReads();
    hub.publish('group:g', 'ephemeral', { ephemeral: true });
    await turns();
    hub.answerReads();
    await turns();
    expect(groups.recovering).toBe(0);
    expect(gotBy(member)).toEqual([ack(1, 4, recovered), 1, 2, 3, 4]);
    expect(gotBy(live)).toEqual([undefined]);
    hub.publish('group:g', 'ephemeral', { ephemeral: true });
    await turns();
    expect(gotBy(member).slice(5)).toEqual([undefined]);
  });

  test('reads no history when the group is at that position, here or at the hub', async () => {
    publish(4);
    const [first, second] = [v1('first'), v1('second')];
    groups.join(first, 'g', 1, at(4));
    await turns();
    publish(1);
    // The message of the same turn is not for the second member, which has it.
    groups.join(second, 'g', 2, at(5));
    publish(1);
    await turns();
    expect(gotBy(first)).toEqual([ack(1, 4, recovered), 5, 6]);
    expect(gotBy(second)).toEqual([ack(2, 5, recovered), 6]);
    expect(reads()).toBe(0);
    expect(counters.recoveries.recovered).toBe(2);
  });

  test.each([
    ['epoch_changed', at(3, 'another')],
    ['epoch_changed', at(99)],
    ['trimmed', at(1)],
  ] as const)('%s, from %j: gets none of what it missed, and the rest', async (reason, since) => {
    hub.ringMax = 3;
    publish(6);
    const member = v1();
    groups.join(member, 'g', 1, since);
    await turns();
    publish(1);
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 6, { recovered: false, reason }), 7]);
    expect(counters.recoveries[reason]).toBe(1);
  });

  test('limit: a client that missed more messages than the limit gets none of them', async () => {
    publish(11);
    const [late, inTime] = [v1('late'), v1('in time')];
    groups.join(late, 'g', 1, at(0));
    groups.join(inTime, 'g', 2, at(1));
    await turns();
    expect(gotBy(late)).toEqual([ack(1, 11, { recovered: false, reason: 'limit' })]);
    expect(gotBy(inTime)).toEqual([ack(2, 11, recovered), 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(counters.recoveries).toMatchObject({ recovered: 1, limit: 1 });
  });

  test('without an id is not acked; a v1 client gets a gap, a plain one nothing', async () => {
    publish(2);
    const [member, lost, plain] = [v1('member'), v1('lost'), new FakeMember('plain')];
    groups.join(member, 'g', undefined, at(1));
    groups.join(lost, 'g', undefined, at(1, 'another'));
    groups.join(plain, 'g', undefined, at(1, 'another'));
    await turns();
    publish(1);
    await turns();
    expect(gotBy(member)).toEqual([2, 3]);
    expect(gotBy(lost)).toEqual([
      { type: 'gap', group_id: 'g', reason: 'epoch_changed', epoch: 'epoch-1', offset: 2 },
      3,
    ]);
    expect(plain.got).toEqual(['x']);
    expect(counters.gaps).toBe(1);
  });

  test('works in plain mode, with payloads alone', async () => {
    publish(2);
    const member = new FakeMember();
    groups.join(member, 'g', 1, at(0));
    await turns();
    expect(member.got).toEqual([ack(1, 2, recovered), 'x', 'x']);
  });

  test('obeys exclude_self, and drops invalid payloads', async () => {
    hub.publish('group:g', 'mine', { sender: 'me', excludeSender: true });
    hub.publish('group:g', Uint8Array.of(0xff));
    hub.publish('group:g', 'yours', { sender: 'you', excludeSender: true });
    const [me, other] = [v1('me'), v1('other')];
    groups.join(me, 'g', 1, at(0));
    groups.join(other, 'g', 2, at(0));
    await turns();
    expect(gotBy(me)).toEqual([ack(1, 3, recovered), 3]);
    expect(gotBy(other)).toEqual([ack(2, 3, recovered), 1, 3]);
    // Both read the same page, which was checked once.
    expect(counters.dropped.not_utf8).toBe(1);
    expect(counters.recoveredMessages).toBe(3);
  });

  test('shares its pages and their bytes with members that missed the same', async () => {
    publish(4);
    hub.byHand = true;
    const members = Array.from({ length: 20 }, (_, index) => v1(`${index}`));
    for (const member of members) groups.join(member, 'g', 1, at(0));
    hub.catchUp('group:g', 0);
    for (let page = 0; page < 3; page++) hub.answerReads();
    for (const { writes } of members) {
      expect(writes.length).toBe(2);
      expect(writes[0]).toBe(members[0]?.writes[0]);
    }
  });

  test('counts for the group limit like any other join', () => {
    const member = v1();
    for (let index = 0; index < 128; index++) groups.join(member, `g${index}`, undefined, at(1));
    expect(() => groups.join(member, 'one more', 1, at(1))).toThrow(CommandError);
  });

  test('of a member of the group is acked with the position, without a recovery', async () => {
    publish(3);
    const member = v1();
    groups.join(member, 'g', 1, undefined);
    await turns();
    groups.join(member, 'g', 2, at(1));
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 3), ack(2, 3)]);
  });
});

describe('the recovery rate of one connection', () => {
  const KIB = 1024;

  function limited(perSecond: number, burst: number): void {
    const limits = { recoveryBytesPerSecond: perSecond * KIB, recoveryBytesBurst: burst * KIB };
    groups = new Groups(completeOptions({ hub, wheel, ...limits }), counters, OPEN);
  }

  /** Joins and leaves before the hub has answered. */
  function joinAndLeave(member: FakeMember, times: number): void {
    for (let count = 0; count < times; count++) {
      groups.join(member, 'g', undefined, at(0));
      groups.leave(member, 'g', undefined);
    }
  }

  test('beyond the burst delays recoveries, and no message is lost', async () => {
    hub.pageMax = 1;
    limited(64, 128);
    for (let index = 0; index < 10; index++) hub.publish('group:g', 'x'.repeat(64 * KIB - 128));
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    await turns(100);
    expect(gotBy(member)).toEqual([ack(1, 10, recovered), 1, 2]);
    for (let second = 1; second <= 8; second++) {
      advanceWheel(1);
      await turns();
      expect(gotBy(member).slice(3)).toEqual([3, 4, 5, 6, 7, 8, 9, 10].slice(0, second));
    }
    publish(1);
    await turns();
    expect([gotBy(member).at(-1), groups.recovering, counters.recoveriesThrottled]).toEqual([11, 0, 8]);
  });

  test('counts frames, in which escapes need more bytes than payloads', async () => {
    hub.pageMax = 1;
    limited(64, 128);
    for (let index = 0; index < 3; index++) hub.publish('group:g', '"'.repeat(64 * KIB - 128));
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    await turns(100);
    expect(gotBy(member)).toEqual([ack(1, 3, recovered), 1]);
    for (let second = 1; second <= 4; second++) {
      advanceWheel(1);
      await turns();
      expect(gotBy(member).slice(2)).toEqual([2, 3].slice(0, Math.ceil(second / 2)));
    }
  });

  test('a message larger than a page is a debt', async () => {
    hub.pageMax = 1;
    limited(64, 128);
    for (let index = 0; index < 3; index++) hub.publish('group:g', 'x'.repeat(256 * KIB - 128));
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    await turns(100);
    expect(gotBy(member)).toEqual([ack(1, 3, recovered), 1]);
    advanceWheel(2);
    await turns(100);
    expect(gotBy(member)).toHaveLength(2);
    advanceWheel(1);
    await turns(100);
    expect(gotBy(member)).toEqual([ack(1, 3, recovered), 1, 2]);
  });

  test('a join that is left at once is charged, and connections have separate rates', async () => {
    limited(64, 4 * 64);
    publish(6);
    groups.join(v1('other'), 'g', undefined);
    await turns();
    hub.byHand = true;
    const [member, honest] = [v1('flood'), v1('honest')];
    const before = reads();
    joinAndLeave(member, 1_000);
    expect(reads() - before).toBe(4);
    advanceWheel(2);
    joinAndLeave(member, 1_000);
    expect(reads() - before).toBe(6);
    groups.join(honest, 'g', 1, at(4));
    expect(reads() - before).toBe(7);
    hub.answerReads();
    expect(gotBy(honest)).toEqual([ack(1, 6, recovered), 5, 6]);
  });

  test('a thousand messages of a kilobyte pass at once, and so do 128 groups', async () => {
    groups = new Groups(completeOptions({ hub, wheel }), counters, OPEN);
    hub.pageMax = 60;
    for (let index = 0; index < 1_000; index++) hub.publish('group:g', 'x'.repeat(KIB));
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    await turns(100);
    expect(member.got).toHaveLength(1_001);
    for (let index = 1; index < 128; index++) {
      hub.publish(`group:${index}`, 'x');
      groups.join(member, `${index}`, index, at(0));
    }
    await turns(300);
    expect([groups.recovering, member.got.length, counters.recoveriesThrottled]).toEqual([
      0,
      1_001 + 2 * 127,
      0,
    ]);
  });

  test('a read that fails costs nothing', async () => {
    limited(1, 64);
    publish(2);
    groups.join(v1('other'), 'g', undefined);
    await turns();
    hub.byHand = true;
    const member = v1();
    for (let count = 0; count < 10; count++) {
      groups.join(member, 'g', count, at(1));
      expect(hub.reads).toHaveLength(1);
      hub.failReads();
    }
  });

  test('a join that the rate delays beyond its deadline is rejected with rate_limited', async () => {
    limited(1, 64);
    publish(2);
    const member = v1();
    groups.join(member, 'other', 1, at(0, 'older'));
    await turns();
    groups.join(member, 'g', 2, at(1));
    await turns();
    expect(member.got).toHaveLength(1);
    advanceWheel(10);
    expect(member.got.slice(1)).toMatchObject([{ type: 'error', id: 2, code: 'rate_limited' }]);
    expect([member.memberships.length, groups.recovering, counters.rejected.rate_limited]).toEqual([1, 0, 1]);
  });
});

describe('a second join during a recovery', () => {
  test('is acked with the first, without recovery fields', async () => {
    publish(3);
    const member = v1();
    groups.join(member, 'g', 1, at(2));
    groups.join(member, 'g', 2, undefined);
    groups.join(member, 'g', 3, at(0));
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 3, recovered), ack(2, 2), ack(3, 2), 3]);
    expect([counters.joins, member.pendingCommands]).toEqual([1, 0]);
  });

  test('after the ack of the first is acked with the position of the member', async () => {
    publish(6);
    hub.byHand = true;
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    hub.catchUp('group:g', 0);
    hub.answerReads();
    groups.join(member, 'g', 2, undefined);
    expect(gotBy(member)).toEqual([ack(1, 6, recovered), 1, 2, ack(2, 2)]);
  });

  test('is limited like all pending joins', () => {
    hub.away = true;
    const member = v1();
    for (let id = 0; id < 1_000; id++) groups.join(member, 'g', id, at(0));
    expect([member.pendingCommands, member.got.length]).toEqual([128, 1_000 - 128]);
    groups.leaveAll(member);
    expect([member.pendingCommands, groups.recovering]).toEqual([0, 0]);
  });
});

describe('a leave during a recovery', () => {
  test('cancels its read, also when repeated', async () => {
    publish(6);
    groups.join(v1('other'), 'g', undefined);
    await turns();
    hub.byHand = true;
    const member = v1();
    for (let count = 0; count < 1_000; count++) {
      groups.join(member, 'g', undefined, at(count % 5));
      groups.leave(member, 'g', undefined);
    }
    expect([hub.reads.length, groups.recovering, member.got]).toEqual([0, 0, []]);
    groups.join(member, 'g', 1, at(6));
    expect(gotBy(member)).toEqual([ack(1, 6, recovered)]);
  });

  test('after any number of failed reads does not prevent the next recovery', async () => {
    publish(2);
    groups.join(v1('other'), 'g', undefined);
    await turns();
    hub.byHand = true;
    const member = v1();
    for (let count = 0; count < 200; count++) {
      groups.join(member, 'g', count, at(1));
      hub.failReads();
    }
    expect(member.got).toHaveLength(200);
    groups.join(member, 'g', 'at last', at(1));
    hub.answerReads();
    expect(gotBy(member).slice(200)).toEqual([{ ...ack(0, 2, recovered), id: 'at last' }, 2]);
  });

  test('ends it, and its page is dropped', async () => {
    publish(6);
    hub.byHand = true;
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    hub.catchUp('group:g', 0);
    hub.answerReads();
    groups.leave(member, 'g', 2);
    hub.answerReads();
    publish(1);
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 6, recovered), 1, 2, { type: 'ack', id: 2, group_id: 'g' }]);
    advanceWheel(3);
    expect([groups.size, groups.recovering, wheel.waiting, hub.channels]).toEqual([0, 0, 0, 0]);
  });

  test('before the ack rejects the join', () => {
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    groups.leave(member, 'g', 2);
    expect(member.got).toMatchObject([
      { type: 'error', id: 1, code: 'hub_unavailable' },
      { type: 'ack', id: 2 },
    ]);
  });

  test('and a new join start another recovery', async () => {
    publish(4);
    hub.byHand = true;
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    hub.catchUp('group:g', 0);
    groups.leave(member, 'g', undefined);
    groups.join(member, 'g', 2, at(3));
    hub.answerReads();
    expect(gotBy(member).slice(1)).toEqual([ack(2, 4, recovered), 4]);
    expect(groups.recovering).toBe(0);
  });
});

describe('during a recovery', () => {
  test('the group stays subscribed', async () => {
    publish(20);
    const member = v1();
    groups.join(member, 'g', undefined, at(10));
    member.bufferedBytes = 100_000;
    await turns();
    advanceWheel(60);
    expect([groups.size, hub.channels, groups.recovering]).toEqual([1, 1, 1]);
    member.bufferedBytes = 0;
    advanceWheel(1);
    await turns(20);
    expect(gotBy(member).length).toBe(10);
    expect(groups.recovering).toBe(0);
  });

  test('a client that does not read gets its ack, and its pages at its own pace', async () => {
    publish(6);
    const member = v1();
    member.bufferedBytes = 100_000;
    groups.join(member, 'g', 1, at(0));
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 6, recovered)]);
    const readsSoFar = reads();
    advanceWheel(5);
    await turns();
    expect(reads()).toBe(readsSoFar);
    member.bufferedBytes = 0;
    member.wrote = () => {
      member.bufferedBytes = 100_000;
    };
    for (let second = 1; second <= 3; second++) {
      advanceWheel(1);
      await turns();
      expect(gotBy(member).length).toBe(1 + 2 * second);
      member.bufferedBytes = 0;
    }
    advanceWheel(1);
    await turns();
    publish(1);
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 6, recovered), 1, 2, 3, 4, 5, 6, 7]);
  });

  test('history that is trimmed meanwhile causes a gap, and then the member is live', async () => {
    hub.ringMax = 6;
    publish(6);
    hub.byHand = true;
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    hub.catchUp('group:g', 0);
    hub.answerReads();
    publish(5);
    hub.answerReads();
    publish(1);
    await turns();
    expect(gotBy(member)).toEqual([
      ack(1, 6, recovered),
      1,
      2,
      { type: 'gap', group_id: 'g', reason: 'trimmed', epoch: 'epoch-1', offset: 11 },
      12,
    ]);
    expect(counters).toMatchObject({ gaps: 1, recoveries: { recovered: 1, trimmed: 0 } });
  });

  test('failed reads are retried after the ack', async () => {
    publish(4);
    hub.byHand = true;
    const member = v1();
    groups.join(member, 'g', 1, at(0));
    hub.catchUp('group:g', 0);
    hub.answerReads();
    hub.failReads();
    expect(hub.reads.length).toBe(0);
    advanceWheel(1);
    hub.answerReads();
    expect(gotBy(member)).toEqual([ack(1, 4, recovered), 1, 2, 3, 4]);
  });

  test('a member that closes during a write gets nothing more', async () => {
    publish(6);
    const member = v1();
    member.wrote = () => {
      member.isOpen = false;
      groups.leaveAll(member);
    };
    groups.join(member, 'g', 1, at(0));
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 6, recovered), 1, 2]);
    expect([groups.recovering, counters.leaves]).toEqual([0, 1]);
  });
});

describe('while the hub is unavailable', () => {
  test.each(['the group is new', 'the group is live'])(
    'a join with an id is undone without an answer within ten seconds: %s',
    async (which) => {
      if (which === 'the group is live') {
        groups.join(v1('other'), 'g', undefined);
        await turns();
      }
      hub.publishUnheard('group:g', 3);
      hub.away = true;
      const member = v1();
      groups.join(member, 'g', 1, at(2));
      groups.join(member, 'g', 2, undefined);
      advanceWheel(8);
      expect(member.got).toEqual([]);
      advanceWheel(1);
      expect(member.got).toMatchObject([
        { type: 'error', id: 1, code: 'hub_unavailable' },
        { type: 'error', id: 2, code: 'hub_unavailable' },
      ]);
      expect([member.memberships.length, member.pendingCommands, groups.recovering]).toEqual([0, 0, 0]);
      hub.comeBack();
      await turns();
      expect(member.got.length).toBe(2);
    },
  );

  test('a join whose read fails is undone at once, and one without an id retries', () => {
    hub.byHand = true;
    const [asking, silent] = [v1('asking'), v1('silent')];
    groups.join(asking, 'g', 1, at(0));
    groups.join(silent, 'g', undefined, at(0));
    publish(1);
    hub.catchUp('group:g', 0);
    hub.failReads();
    expect(asking.got).toMatchObject([{ type: 'error', id: 1, code: 'hub_unavailable' }]);
    expect([asking.memberships.length, silent.memberships.length]).toEqual([0, 1]);
    advanceWheel(1);
    hub.answerReads();
    expect(gotBy(silent)).toEqual([1]);
  });

  test('a group that is behind has no new live members before its own recovery ends', async () => {
    hub.byHand = true;
    const early = v1('early');
    groups.join(early, 'g', 1, undefined);
    hub.catchUp('group:g', 0);
    hub.publishUnheard('group:g', 4);
    const member = v1();
    groups.join(member, 'g', 2, at(2));
    hub.answerReads();
    expect(gotBy(member)).toEqual([ack(2, 4, recovered), 3, 4]);
    expect(groups.recovering).toBe(1);
    hub.catchUp('group:g', 3);
    advanceWheel(1);
    hub.answerReads();
    expect(groups.recovering).toBe(1);
    hub.catchUp('group:g', 1);
    advanceWheel(1);
    hub.answerReads();
    expect(groups.recovering).toBe(0);
    publish(1);
    await turns();
    expect(gotBy(member)).toEqual([ack(2, 4, recovered), 3, 4, 5]);
    expect(gotBy(early)).toEqual([ack(1, 0), 1, 2, 3, 4, 5]);
  });

  test('no member gets a position of an old epoch', async () => {
    hub.byHand = true;
    const early = v1('early');
    groups.join(early, 'g', 1, undefined);
    hub.catchUp('group:g', 0);
    publish(2);
    hub.restart('epoch-2');
    hub.comeBack();
    const member = v1();
    groups.join(member, 'g', 2, at(5));
    hub.answerReads();
    // The group here is still in the old epoch.
    expect(member.got).toEqual([]);
    hub.catchUp('group:g', 0);
    advanceWheel(1);
    hub.answerReads();
    expect(member.got).toEqual([
      {
        type: 'ack',
        id: 2,
        group_id: 'g',
        epoch: 'epoch-2',
        offset: 0,
        recovered: false,
        reason: 'epoch_changed',
      },
    ]);
  });
});

describe('an epoch that the hub has renamed', () => {
  beforeEach(() => {
    hub.byHand = true;
    groups.join(v1('early'), 'g', 1, undefined);
    hub.catchUp('group:g', 0);
    publish(3);
    hub.rename('epoch-2');
  });

  test('is the one that a group here still has by its earlier name', async () => {
    const member = v1();
    groups.join(member, 'g', 2, at(1));
    hub.answerReads();
    expect([gotBy(member), groups.recovering]).toEqual([[ack(2, 3, recovered), 2, 3], 0]);
    publish(1);
    await turns();
    expect(gotBy(member).slice(3)).toEqual([4]);
  });

  test('is the one that a member has by its earlier name', () => {
    hub.catchUp('group:g', 0);
    const member = v1();
    groups.join(member, 'g', 2, at(3));
    hub.answerReads();
    expect([gotBy(member), groups.recovering]).toEqual([[ack(2, 3, { ...recovered, epoch: 'epoch-2' })], 0]);
  });

  test('does not hide that messages are gone', () => {
    hub.trim('group:g');
    const member = v1();
    groups.join(member, 'g', 2, at(1));
    hub.answerReads();
    expect([gotBy(member), groups.recovering]).toEqual([
      [ack(2, 3, { recovered: false, reason: 'trimmed' })],
      0,
    ]);
  });
});

test('a group that was idle for an hour is recovered without a gap, on any worker', async () => {
  publish(3);
  groups.join(v1('idle'), 'g', 1, undefined);
  await turns();
  advanceWheel(3_600);
  const elsewhere = new Groups(completeOptions({ hub, wheel: new TimingWheel() }), createCounters(), OPEN);
  const [here, there] = [v1('here'), v1('there')];
  groups.join(here, 'g', 2, at(3));
  elsewhere.join(there, 'g', 3, at(3));
  await turns();
  publish(1);
  await turns();
  expect(gotBy(here)).toEqual([ack(2, 3, recovered), 4]);
  expect(gotBy(there)).toEqual([ack(3, 3, recovered), 4]);
});

test('a member that closes during the join of another one is not joined again', async () => {
  const slow = v1('slow');
  groups.join(slow, 'g', undefined);
  const member = v1();
  await turns();
  // A write to one connection may cut another: all buffers together are limited.
  slow.wrote = () => {
    member.isOpen = false;
    groups.leaveAll(member);
  };
  publish(1);
  groups.join(member, 'g', 1, at(0));
  expect([member.memberships.length, member.pendingCommands, groups.recovering]).toEqual([0, 0, 0]);
  publish(1);
  groups.join(member, 'g', 1, undefined);
  expect(member.memberships.length).toBe(0);
});

describe('a join with the newest messages', () => {
  test('is acked with their number, then they follow page by page, then new ones', async () => {
    publish(25);
    const member = v1();
    groups.join(member, 'g', 1, { last: 4 });
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 25, { count: 4 }), 22, 23, 24, 25]);
    publish(1);
    await turns();
    expect(gotBy(member).slice(-1)).toEqual([26]);
    expect(groups.recovering).toBe(0);
    expect(counters).toMatchObject({ recoveredMessages: 4, joins: 1, gaps: 0 });
    expect(counters.recoveries).toEqual({ recovered: 0, epoch_changed: 0, trimmed: 0, limit: 0 });
  });

  test('gets messages that arrive meanwhile once, and a second ack has no count', async () => {
    publish(6);
    hub.byHand = true;
    const member = v1();
    groups.join(member, 'g', 1, { last: 4 });
    groups.join(member, 'g', 2, { last: 1 });
    hub.catchUp('group:g', 0);
    publish(1);
    hub.answerReads();
    publish(1);
    for (let page = 0; page < 3; page++) {
      await turns();
      hub.answerReads();
    }
    expect(gotBy(member)).toEqual([ack(1, 7, { count: 4 }), ack(2, 3), 4, 5, 6, 7, 8]);
    expect(groups.recovering).toBe(0);
  });

  test('without an id tells nothing but the messages', async () => {
    publish(3);
    const member = v1();
    groups.join(member, 'g', undefined, { last: 2 });
    await turns();
    expect(gotBy(member)).toEqual([2, 3]);
  });

  test('reads again what failed, and gets a gap for what is trimmed meanwhile', async () => {
    publish(9);
    hub.byHand = true;
    const member = v1();
    groups.join(member, 'g', undefined, { last: 9 });
    hub.catchUp('group:g', 0);
    hub.failReads();
    advanceWheel(1);
    hub.answerReads();
    await turns();
    hub.trim('group:g');
    hub.answerReads();
    await turns();
    const gap = { type: 'gap', group_id: 'g', reason: 'trimmed', epoch: 'epoch-1', offset: 9 };
    expect(gotBy(member)).toEqual([1, 2, gap]);
    expect(counters.gaps).toBe(1);
  });

  test('is limited like a recovery, down to none', async () => {
    publish(9);
    const limited = new Groups(completeOptions({ hub, wheel, recoveryMessagesMax: 2 }), counters, OPEN);
    const member = v1();
    limited.join(member, 'g', 1, { last: 9 });
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 9, { count: 2 }), 8, 9]);
    const without = new Groups(completeOptions({ hub, wheel, recoveryMessagesMax: 0 }), counters, OPEN);
    const other = v1('other');
    without.join(other, 'g', 1, { last: 9 });
    await turns();
    expect(gotBy(other)).toEqual([ack(1, 9, { count: 0 })]);
    publish(1);
    await turns();
    expect(gotBy(other).slice(1)).toEqual([10]);
  });

  test('pays for its reads like a recovery', async () => {
    publish(9);
    const rate = { recoveryBytesPerSecond: 1_024, recoveryBytesBurst: 64 * 1_024 };
    const limited = new Groups(completeOptions({ hub, wheel, ...rate }), counters, OPEN);
    const member = v1();
    limited.join(member, 'g', 1, { last: 1 });
    limited.join(member, 'other', 2, { last: 1 });
    await turns();
    expect(gotBy(member)).toEqual([ack(1, 9, { count: 1 }), 9]);
    expect(counters.recoveriesThrottled).toBe(1);
  });
});
