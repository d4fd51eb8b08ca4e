import { encodeText, ProtocolError } from '@groupcast/protocol';
import { CommandError } from '@groupcast/protocol/schema';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMember, OPEN } from '../../testing/fake-member.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { expectPristineObjects } from '../../testing/pristine-objects.ts';
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
  wheel = new TimingWheel();
  counters = createCounters();
  groups = new Groups(completeOptions({ hub, wheel }), counters, OPEN);
});

/** Resolves after the end of this event-loop turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function turn(seconds: number): void {
  for (let tick = 0; tick < seconds; tick++) wheel.tick();
}

async function joined(name: string, member: FakeMember): Promise<FakeMember> {
  groups.join(member, name, undefined);
  await nextTurn();
  return member;
}

function ack(id: number, offset: number, epoch = 'epoch-1'): object {
  return { type: 'ack', id, group_id: 'g', epoch, offset };
}

describe('joining and leaving', () => {
  test('a join is acked with the position of the group, once the hub has told it', async () => {
    hub.publishUnheard('group:g', 41);
    const member = new FakeMember();
    groups.join(member, 'g', 1);
    expect(member.got).toEqual([]);
    await nextTurn();
    expect(member.got).toEqual([ack(1, 41)]);
    const second = new FakeMember();
    groups.join(second, 'g', 2);
    expect(second.got).toEqual([ack(2, 41)]);
    expect(hub.calls).toEqual([{ name: 'subscribe', channel: 'group:g' }]);
  });

  test('a second join is acked, and so is a leave of a group that the client is not in', async () => {
    const member = await joined('g', new FakeMember());
    groups.join(member, 'g', 1);
    groups.leave(member, 'g', 2);
    groups.leave(member, 'g', 3);
    groups.leave(member, 'never heard of', 4);
    groups.leave(member, 'g', undefined);
    expect(member.got).toEqual([
      ack(1, 0),
      { type: 'ack', id: 2, group_id: 'g' },
      { type: 'ack', id: 3, group_id: 'g' },
      { type: 'ack', id: 4, group_id: 'never heard of' },
    ]);
    expect([counters.joins, counters.leaves]).toEqual([1, 1]);
  });

  test('the ack of a second join follows the publications up to its position', async () => {
    const member = await joined('g', new FakeMember());
    hub.publish('group:g', 'one');
    groups.join(member, 'g', 1);
    hub.publish('group:g', 'two');
    await nextTurn();
    expect(member.got).toEqual(['one', ack(1, 1), 'two']);
  });

  test('the 129th group is rejected, a joined one can be joined again, and a leave makes room', () => {
    const member = new FakeMember();
    for (let index = 0; index < 128; index++) groups.join(member, `g${index}`, undefined);
    expect(() => groups.join(member, 'one more', 7)).toThrow(CommandError);
    groups.join(member, 'g0', undefined);
    groups.leave(member, 'g0', undefined);
    groups.join(member, 'one more', undefined);
    expect(member.memberships.length).toBe(128);
  });

  test('a member gets exactly the messages after its join and before its leave', async () => {
    const early = await joined('g', new FakeMember());
    hub.publish('group:g', 'one');
    const late = new FakeMember();
    groups.join(late, 'g', 1);
    hub.publish('group:g', 'two');
    groups.leave(early, 'g', 2);
    hub.publish('group:g', 'three');
    await nextTurn();
    expect(early.got).toEqual(['one', 'two', { type: 'ack', id: 2, group_id: 'g' }]);
    expect(late.got).toEqual([ack(1, 1), 'two', 'three']);
  });

  test('names of object properties are ordinary group names', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'];
    const members = names.map((name) => new FakeMember(name));
    for (const [index, name] of names.entries()) await joined(name, members[index]!);
    for (const name of names) hub.publish(`group:${name}`, `to ${name}`);
    await nextTurn();
    expect(members.map(({ got }) => got)).toEqual(names.map((name) => [`to ${name}`]));
    expectPristineObjects();
  });
});

describe('a group without members', () => {
  test('is unsubscribed after two seconds, and leaves no state', async () => {
    const member = await joined('g', new FakeMember());
    groups.leaveAll(member);
    turn(1);
    expect(hub.channels).toBe(1);
    turn(1);
    expect(hub.calls.map(({ name }) => name)).toEqual(['subscribe', 'unsubscribe']);
    expect([groups.size, hub.channels, wheel.waiting]).toEqual([0, 0, 0]);
  });

  test('is live at once for the next member, without a new subscription', async () => {
    const member = await joined('g', new FakeMember());
    groups.leaveAll(member);
    turn(1);
    hub.publish('group:g', 'before the join');
    groups.join(member, 'g', 1);
    expect(member.got).toEqual([ack(1, 1)]);
    turn(10);
    expect(hub.calls.length).toBe(1);
  });

  test('costs one subscribe and one unsubscribe, however fast a client joins and leaves', async () => {
    const member = new FakeMember();
    for (let round = 0; round < 10_000; round++) {
      groups.join(member, 'g', undefined);
      groups.leave(member, 'g', undefined);
    }
    turn(2);
    expect(hub.calls.map(({ name }) => name)).toEqual(['subscribe', 'unsubscribe']);
    expect([groups.size, wheel.waiting]).toEqual([0, 0]);
  });

  test('is unsubscribed in the order of the leaves', async () => {
    const member = new FakeMember();
    for (const name of ['a', 'b', 'c']) await joined(name, member);
    groups.leave(member, 'b', undefined);
    turn(1);
    groups.leave(member, 'a', undefined);
    turn(1);
    expect(hub.calls.slice(3)).toEqual([{ name: 'unsubscribe', channel: 'group:b' }]);
    turn(1);
    expect(hub.calls.slice(4)).toEqual([{ name: 'unsubscribe', channel: 'group:a' }]);
    expect(groups.size).toBe(1);
  });

  test('is unsubscribed at once when the gateway closes', async () => {
    const member = await joined('g', new FakeMember());
    groups.leaveAll(member);
    groups.close();
    expect([groups.size, hub.channels, wheel.waiting]).toEqual([0, 0, 0]);
  });
});

describe('delivering', () => {
  test('the publications of one turn are one write for each member, with shared bytes', async () => {
    const [one, two] = [await joined('g', new FakeMember()), await joined('g', new FakeMember())];
    const v1 = await joined('g', new FakeMember('v1', V1));
    const texts = Array.from({ length: 50 }, (_, index) => `message ${index}`);
    for (const text of texts) hub.publish('group:g', text);
    expect(one.writes.length).toBe(0);
    await nextTurn();
    expect(one.got).toEqual(texts);
    expect(v1.got).toEqual(
      texts.map((message, index) => ({ type: 'message', group_id: 'g', offset: index + 1, message })),
    );
    expect([one, two, v1].map(({ writes }) => writes.length)).toEqual([1, 1, 1]);
    expect(two.writes[0]).toBe(one.writes[0]);
    expect([counters.publications, counters.delivered, counters.deliveryWrites]).toEqual([50, 150, 3]);
  });

  test('publications are delivered at the end of their turn', async () => {
    const member = await joined('g', new FakeMember());
    for (let round = 0; round < 3; round++) {
      hub.publish('group:g', `${round}`);
      await nextTurn();
      expect(member.writes.length).toBe(round + 1);
    }
    expect(member.got).toEqual(['0', '1', '2']);
  });

  test('a position follows the publications up to it, and is undefined before the hub tells it', async () => {
    const member = await joined('g', new FakeMember());
    hub.publish('group:g', 'one');
    expect(groups.positionOf('g')).toEqual({ epoch: 'epoch-1', offset: 1 });
    expect(member.got).toEqual(['one']);
    hub.publish('group:g', 'two');
    groups.deliverPending('g');
    groups.deliverPending('never heard of');
    expect(member.got).toEqual(['one', 'two']);
    groups.join(member, 'new', undefined);
    expect(groups.positionOf('new')).toBeUndefined();
    expect(groups.positionOf('never heard of')).toBeUndefined();
  });

  test('publications of one turn are delivered in parts above 256 KiB', async () => {
    const member = await joined('g', new FakeMember());
    const text = 'x'.repeat(64 * 1024);
    for (let count = 0; count < 32; count++) hub.publish('group:g', text);
    await nextTurn();
    expect(member.got.length).toBe(32);
    expect(Math.max(...member.writes.map(({ length }) => length))).toBeLessThan(400_000);
  });

  test('a sender that excludes itself gets the other messages of the turn', async () => {
    const sender = await joined('g', new FakeMember('sender', V1));
    const other = await joined('g', new FakeMember('other'));
    hub.publish('group:g', 'one');
    hub.publish('group:g', 'two', { sender: 'sender', excludeSender: true });
    hub.publish('group:g', 'three', { sender: 'sender' });
    await nextTurn();
    expect(other.got).toEqual(['one', 'two', 'three']);
    expect(sender.got).toMatchObject([
      { message: 'one', offset: 1 },
      { message: 'three', offset: 3, from: { client_id: 'sender' } },
    ]);
    expect(counters.delivered).toBe(5);
    hub.publish('group:g', 'four', { sender: 'sender', excludeSender: true });
    await nextTurn();
    expect(sender.writes.length).toBe(1);
  });

  test('ephemeral publications arrive in order with the others of the turn, and take no offset', async () => {
    const plain = await joined('g', new FakeMember());
    const v1 = await joined('g', new FakeMember('v1', V1));
    hub.publish('group:g', 'early', { ephemeral: true });
    hub.publish('group:g', 'one');
    hub.publish('group:g', 'between', { ephemeral: true, sender: 'v1' });
    hub.publish('group:g', 'not for v1', { ephemeral: true, sender: 'v1', excludeSender: true });
    hub.publish('group:g', 'two');
    await nextTurn();
    expect(plain.got).toEqual(['early', 'one', 'between', 'not for v1', 'two']);
    expect(v1.got).toEqual([
      { type: 'message', group_id: 'g', message: 'early' },
      { type: 'message', group_id: 'g', offset: 1, message: 'one' },
      { type: 'message', group_id: 'g', message: 'between', from: { client_id: 'v1' } },
      { type: 'message', group_id: 'g', offset: 2, message: 'two' },
    ]);
    expect([plain.writes.length, v1.writes.length]).toEqual([1, 1]);
    expect(counters.dropped.repeated).toBe(0);
  });

  test('a member with more than 64 KiB buffered gets no ephemeral publications', async () => {
    const member = await joined('g', new FakeMember());
    const slow = await joined('g', new FakeMember('slow'));
    slow.bufferedBytes = 64 * 1024 + 1;
    hub.publish('group:g', 'one');
    hub.publish('group:g', 'ephemeral', { ephemeral: true });
    hub.publish('group:g', 'two');
    await nextTurn();
    hub.publish('group:g', 'alone', { ephemeral: true });
    await nextTurn();
    expect(member.got).toEqual(['one', 'ephemeral', 'two', 'alone']);
    expect(slow.got).toEqual(['one', 'two']);
    expect(slow.writes.length).toBe(1);
    expect([counters.ephemeralDropped, counters.delivered]).toEqual([2, 6]);
    slow.bufferedBytes = 64 * 1024;
    hub.publish('group:g', 'again', { ephemeral: true });
    await nextTurn();
    expect(slow.got.at(-1)).toBe('again');
  });

  test('an ephemeral publication that does not follow the last offset is dropped', async () => {
    const member = await joined('g', new FakeMember());
    hub.publish('group:g', 'one');
    hub.publish('group:g', 'two');
    const late = { channel: 'group:g', ...TEXT_FIELDS, ephemeral: true, number: 1 };
    groups.deliver({ ...late, payload: encodeText('late') });
    await nextTurn();
    expect(member.got).toEqual(['one', 'two']);
    expect(counters.dropped.repeated).toBe(1);
  });

  test('invalid payloads are dropped and counted, and the other publications are delivered', async () => {
    const member = await joined('g', new FakeMember());
    const v1 = await joined('g', new FakeMember('v1', V1));
    hub.publish('group:g', 'before');
    hub.publish('group:g', Uint8Array.of(0xff), { kind: 'text' });
    hub.publish('group:g', Uint8Array.of(0xff), { kind: 'bytes' });
    hub.publish('group:g', '{"a":', { kind: 'json' });
    hub.publish('group:g', '{"a":1}', { kind: 'json' });
    hub.publish('group:g', 'after', { kind: 'bytes' });
    await nextTurn();
    expect(member.got).toEqual(['before', '{"a":1}', 'after']);
    expect(v1.got.map((event) => (event as { message: unknown }).message)).toEqual([
      'before',
      { a: 1 },
      'after',
    ]);
    expect(counters.dropped).toEqual({ not_utf8: 2, not_json: 1, repeated: 0, not_followed: 0 });
  });

  test('no publication is delivered twice, or before the hub has told the position', async () => {
    const member = new FakeMember();
    hub.publishUnheard('group:g', 1);
    groups.join(member, 'g', undefined);
    const publication = {
      channel: 'group:g',
      ...TEXT_FIELDS,
    };
    groups.deliver({ ...publication, payload: Buffer.from('too early'), number: 1 });
    expect(counters.dropped.not_followed).toBe(1);
    await nextTurn();
    for (const number of [1, 2, 2, 1, 3]) {
      hub.deliver({ ...publication, payload: Buffer.from(`${number}`), number });
    }
    groups.deliver({ ...publication, channel: 'group:other', payload: Buffer.from('x'), number: 1 });
    await nextTurn();
    expect(member.got).toEqual(['2', '3']);
    expect(counters.dropped).toEqual({ not_utf8: 0, not_json: 0, repeated: 3, not_followed: 2 });
  });

  test('a member that is removed during a delivery gets nothing more, and the others get all', async () => {
    const members = [new FakeMember('a'), new FakeMember('b'), new FakeMember('c')] as const;
    for (const member of members) await joined('g', member);
    for (const member of members) await joined('h', member);
    members[1].wrote = () => groups.leaveAll(members[1]);
    hub.publish('group:g', 'g');
    hub.publish('group:h', 'h');
    await nextTurn();
    expect(members.map(({ got }) => got)).toEqual([['g', 'h'], ['g'], ['g', 'h']]);
  });

  test('a member that throws affects at most its group', async () => {
    const bad = await joined('g', new FakeMember('bad'));
    const good = await joined('h', new FakeMember('good'));
    bad.wrote = () => {
      throw new Error('a defect');
    };
    hub.publish('group:g', 'g');
    hub.publish('group:h', 'h');
    await nextTurn();
    expect(good.got).toEqual(['h']);
  });
});

describe('while the hub is unavailable', () => {
  beforeEach(() => {
    hub.away = true;
  });

  // Entries of a tick expire over its whole length: in the tenth tick it could be later.
  test('a join with an id is undone within ten seconds, with an error', () => {
    const member = new FakeMember();
    groups.join(member, 'g', 1);
    turn(8);
    expect(member.got).toEqual([]);
    turn(1);
    expect(member.got).toMatchObject([{ type: 'error', id: 1, code: 'hub_unavailable' }]);
    expect([member.memberships.length, member.pendingCommands, counters.rejected.hub_unavailable]).toEqual([
      0, 0, 1,
    ]);
    turn(3);
    expect([groups.size, wheel.waiting]).toEqual([0, 0]);
  });

  test('a join without an id stays, and succeeds when the hub is available again', async () => {
    const member = new FakeMember();
    groups.join(member, 'g', undefined);
    groups.join(member, 'g', 5);
    turn(60);
    expect(member.got).toMatchObject([{ type: 'error', id: 5, code: 'hub_unavailable' }]);
    hub.comeBack();
    hub.publish('group:g', 'hello again');
    await nextTurn();
    expect(member.got.slice(1)).toEqual(['hello again']);
  });

  test('all pending joins are acked when the hub is available again', () => {
    const [one, two] = [new FakeMember('one'), new FakeMember('two')];
    groups.join(one, 'g', 1);
    groups.join(one, 'g', 2);
    groups.join(two, 'g', 3);
    hub.publishUnheard('group:g', 4);
    hub.comeBack();
    expect(one.got).toEqual([ack(1, 4), ack(2, 4)]);
    expect(two.got).toEqual([ack(3, 4)]);
    expect([one.pendingCommands, two.pendingCommands]).toEqual([0, 0]);
    turn(20);
    expect(two.got.length).toBe(1);
  });

  test('a leave rejects the pending joins of the client', () => {
    const member = new FakeMember();
    groups.join(member, 'g', 1);
    groups.leave(member, 'g', 2);
    expect(member.got).toMatchObject([
      { type: 'error', id: 1, code: 'hub_unavailable', message: expect.stringContaining('left before') },
      { type: 'ack', id: 2, group_id: 'g' },
    ]);
    hub.comeBack();
    expect(member.got.length).toBe(2);
  });

  test('pending joins of each client are limited', () => {
    const member = new FakeMember();
    for (let id = 0; id < 1_000; id++) groups.join(member, 'g', id);
    expect(member.pendingCommands).toBe(128);
    expect(member.got.length).toBe(1_000 - 128);
    groups.leaveAll(member);
    expect(member.pendingCommands).toBe(0);
    turn(12);
    expect([groups.size, wheel.waiting]).toEqual([0, 0]);
  });

  test('a join beyond the limit of pending joins is rejected, and the client is not in the group', async () => {
    const member = new FakeMember();
    for (let id = 0; id < 128; id++) groups.join(member, 'g', id);
    groups.join(member, 'other', 'beyond');
    expect(member.got).toMatchObject([{ type: 'error', id: 'beyond', code: 'hub_unavailable' }]);
    hub.comeBack();
    hub.publish('group:other', 'not for it');
    await nextTurn();
    expect(member.got.length).toBe(1 + 128);
    expect(member.memberships).toEqual(['group:g']);
  });

  test('pending joins of a client that closes do not count as rejected', () => {
    const member = new FakeMember();
    groups.join(member, 'g', 1);
    groups.leaveAll(member);
    expect(member.got).toEqual([]);
    expect([member.pendingCommands, counters.rejected.hub_unavailable]).toEqual([0, 0]);
  });
});

describe('when the hub is connected again', () => {
  test('members get the missed messages, and no event', async () => {
    const v1 = await joined('g', new FakeMember('v1', V1));
    const plain = await joined('g', new FakeMember('plain'));
    hub.publish('group:g', 'before');
    hub.publishUnheard('group:g', 2);
    hub.comeBack();
    hub.publish('group:g', 'after');
    await nextTurn();
    expect(plain.got).toEqual(['before', 'unheard 0', 'unheard 1', 'after']);
    expect(v1.got.map((event) => (event as { offset: number }).offset)).toEqual([1, 2, 3, 4]);
    expect(counters.gaps).toBe(0);
  });

  test.each([
    ['trimmed', 'epoch-1', 7],
    ['epoch_changed', 'epoch-2', 0],
  ] as const)(
    'v1 members get a gap for lost messages, with the reason: %s',
    async (reason, epoch, offset) => {
      const v1 = await joined('g', new FakeMember('v1', V1));
      const plain = await joined('g', new FakeMember('plain'));
      hub.publish('group:g', 'before');
      hub.publishUnheard('group:g', 6);
      if (reason === 'trimmed') hub.trim('group:g');
      else hub.restart(epoch);
      hub.comeBack();
      hub.publish('group:g', 'after');
      await nextTurn();
      expect(v1.got).toMatchObject([
        { type: 'message', message: 'before', offset: 1 },
        { type: 'gap', group_id: 'g', reason, epoch, offset },
        { type: 'message', message: 'after', offset: offset + 1 },
      ]);
      expect(plain.got).toEqual(['before', 'after']);
      expect(counters.gaps).toBe(1);
    },
  );
});

describe('a group that the hub rejects', () => {
  const sentence = 'Channel limit reached. Retry later.';
  const full = new ProtocolError('channel_limit', 'A session follows at most 2 channels.');

  function refuse(name: string, error = full): void {
    groups.rejected({ name: `group:${name}`, prefix: false }, error);
  }

  test('has no members, and every join gets an error at once, with and without an id', () => {
    const [plain, v1, late] = [new FakeMember('plain'), new FakeMember('v1', V1), new FakeMember('late')];
    groups.join(plain, 'g', undefined);
    groups.join(v1, 'g', 1);
    groups.join(v1, 'g', 'again');
    groups.join(late, 'g', undefined, { epoch: 'epoch-1', offset: 3 });
    refuse('g');
    const error = { type: 'error', code: 'channel_limit', message: sentence };
    expect(plain.got).toEqual([{ ...error, group_id: 'g' }]);
    expect(v1.got).toEqual([
      { ...error, id: 1 },
      { ...error, id: 'again' },
    ]);
    expect(late.got).toEqual([{ ...error, group_id: 'g' }]);
    for (const member of [plain, v1, late])
      expect([member.memberships, member.pendingCommands]).toEqual([[], 0]);
    expect([groups.size, groups.recovering, counters.rejected.channel_limit]).toEqual([0, 0, 4]);
    expect(hub.calls.at(-1)).toEqual({ name: 'unsubscribe', channel: 'group:g' });
    turn(2);
    expect(wheel.waiting).toBe(0);
  });

  test('after a subscription: members get the messages before, and an error', async () => {
    const member = await joined('g', new FakeMember('v1', V1));
    const other = await joined('other', new FakeMember('other', V1));
    hub.publish('group:g', 'last');
    refuse('g');
    expect(member.got).toMatchObject([
      { message: 'last' },
      { type: 'error', code: 'channel_limit', group_id: 'g' },
    ]);
    expect([member.memberships.length, other.got, groups.size]).toEqual([0, [], 1]);
    groups.join(member, 'g', 1);
    await nextTurn();
    expect(member.got.at(-1)).toEqual(ack(1, 1));
  });

  test('for another reason is an unavailable hub, and without members it has no effect', () => {
    const member = new FakeMember();
    groups.join(member, 'g', 1);
    refuse('unknown');
    refuse('g', new ProtocolError('internal_error', 'No.'));
    refuse('g');
    expect(member.got).toMatchObject([{ id: 1, code: 'hub_unavailable' }]);
  });
});

describe('lingering groups', () => {
  function pass(member: FakeMember, first: number, count: number): void {
    for (let index = first; index < first + count; index++) {
      groups.join(member, `${index}`, undefined);
      groups.leave(member, `${index}`, undefined);
    }
  }

  test('of one connection are limited like its groups, and the oldest is unsubscribed at once', () => {
    const member = new FakeMember();
    for (let index = 0; index < 128; index++) groups.join(member, `in ${index}`, undefined);
    groups.leave(member, 'in 0', undefined);
    pass(member, 0, 1_000);
    expect(groups.size).toBe(127 + 128);
    expect(hub.calls.filter(({ name }) => name === 'unsubscribe').slice(0, 2)).toEqual([
      { name: 'unsubscribe', channel: 'group:in 0' },
      { name: 'unsubscribe', channel: 'group:0' },
    ]);
    // Another member joins a group that the first has left: it no longer counts.
    const other = new FakeMember();
    groups.join(other, '999', undefined);
    pass(member, 2_000, 127);
    expect(groups.size).toBe(127 + 1 + 128);
    turn(2);
    expect(groups.size).toBe(127 + 1);
  });

  test('of all connections are limited together, also after the connections have closed', () => {
    groups = new Groups(completeOptions({ hub, wheel, lingeringGroupsMax: 200 }), counters, OPEN);
    for (let index = 0; index < 50; index++) {
      const member = new FakeMember();
      pass(member, index * 128, 127);
      groups.join(member, `last of ${index}`, undefined);
      groups.leaveAll(member);
      expect(groups.size).toBeLessThanOrEqual(200);
    }
    expect(groups.size).toBeGreaterThan(100);
    expect(hub.channels).toBe(groups.size);
    turn(2);
    expect([groups.size, hub.channels, wheel.waiting]).toEqual([0, 0, 0]);
  });

  test('are used again by the next member, whichever member has left them', async () => {
    const [one, two] = [new FakeMember('one'), new FakeMember('two')];
    pass(one, 0, 3);
    groups.leaveAll(one);
    groups.join(two, '1', undefined);
    expect(hub.calls.filter(({ channel }) => channel === 'group:1')).toHaveLength(1);
    turn(2);
    expect(groups.size).toBe(1);
    hub.publish('group:1', 'x');
    await nextTurn();
    expect(two.got).toEqual([]);
    groups.leave(two, '1', undefined);
    turn(2);
    expect([groups.size, wheel.waiting]).toEqual([0, 0]);
  });
});

test('a join succeeds when the delivery before it unsubscribes the group', async () => {
  groups = new Groups(completeOptions({ hub, wheel, lingeringGroupsMax: 1 }), counters, OPEN);
  const [slow, member] = [new FakeMember('slow'), new FakeMember('member')];
  await joined('g', slow);
  await joined('other', slow);
  // It leaves more groups than may linger: the first one is unsubscribed.
  slow.wrote = () => {
    slow.isOpen = false;
    groups.leaveAll(slow);
  };
  hub.publish('group:g', 'before');
  groups.join(member, 'g', 1);
  await nextTurn();
  hub.publish('group:g', 'after');
  await nextTurn();
  expect(member.got).toEqual([ack(1, 1), 'after']);
  groups.leave(member, 'g', undefined);
  turn(3);
  expect([groups.size, hub.channels, wheel.waiting]).toEqual([0, 0, 0]);
});

test('a group whose subscribe fails leaves no state', () => {
  const broken = new LoopbackHub();
  broken.subscribe = () => {
    throw new Error('a defect');
  };
  broken.unsubscribe = () => {
    throw new Error('another');
  };
  const fragile = new Groups(completeOptions({ hub: broken, wheel }), counters, OPEN);
  const member = new FakeMember();
  expect(() => fragile.join(member, 'g', 1)).toThrow('a defect');
  turn(3);
  expect([fragile.size, member.memberships.length, wheel.waiting]).toEqual([0, 0, 0]);
});
