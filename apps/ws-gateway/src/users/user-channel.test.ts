import { limits, ProtocolError } from '@groupcast/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMember, OPEN } from '../../testing/fake-member.ts';
import { identityOf } from '../../testing/identity-of.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { type Counters, createCounters } from '../admin/gateway-stats.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import { PLAIN } from '../client-protocols/plain/protocol.ts';
import { V1, V1_AT } from '../client-protocols/v1/protocol.ts';
import { Groups } from '../groups/groups.ts';
import { completeOptions } from '../options.ts';
import { TimingWheel } from '../timing-wheel.ts';

const CHANNEL = '$user:ann';

let hub: LoopbackHub;
let wheel: TimingWheel;
let counters: Counters;
let groups: Groups;

beforeEach(() => {
  hub = new LoopbackHub();
  wheel = new TimingWheel();
  counters = createCounters();
  groups = new Groups(completeOptions({ hub, wheel, groupsPerConnectionMax: 1 }), counters, OPEN);
});

/** Resolves after the end of this event-loop turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function memberOf(uid: string, protocol: ClientProtocol = V1): FakeMember {
  const member = new FakeMember('client', protocol);
  member.identity = identityOf(uid);
  return member;
}

async function entered(member: FakeMember, since?: number): Promise<FakeMember> {
  const position = since === undefined ? undefined : { epoch: 'epoch-1', offset: since };
  groups.joinByServer(member, limits.USER_GROUP, position);
  await nextTurn();
  await nextTurn();
  return member;
}

function joined(offset: number, more: object = {}): object {
  return { type: 'joined', user: true, epoch: 'epoch-1', offset, ...more };
}

function message(offset: number, text: string): object {
  return { type: 'message', user: true, offset, message: text };
}

describe('the channel of a user', () => {
  test('is subscribed once for all connections of the user, and they get each message', async () => {
    const [first, second] = [await entered(memberOf('ann')), await entered(memberOf('ann'))];
    const other = await entered(memberOf('bob'));
    hub.publish(CHANNEL, 'hi');
    hub.publish(CHANNEL, 'again');
    await nextTurn();
    for (const member of [first, second])
      expect(member.got).toEqual([joined(0), message(1, 'hi'), message(2, 'again')]);
    expect(other.got).toEqual([joined(0)]);
    expect(hub.calls.map(({ channel }) => channel)).toEqual([CHANNEL, '$user:bob']);
    expect(first.writes).toHaveLength(1);
    expect(first.writes[0]).toBe(second.writes[0]);
  });

  test('is the text in plain mode, and has the time in v1.at', async () => {
    hub.now = () => 1_790_000_000_000;
    const plain = await entered(memberOf('ann', PLAIN));
    const timed = await entered(memberOf('ann', V1_AT));
    hub.publish(CHANNEL, 'hi');
    hub.publish(CHANNEL, 'typing', { ephemeral: true });
    await nextTurn();
    expect(plain.got).toEqual(['hi', 'typing']);
    expect(timed.got.slice(1)).toEqual([
      { ...message(1, 'hi'), at: 1_790_000_000_000 },
      { type: 'message', user: true, message: 'typing', at: 1_790_000_000_000 },
    ]);
  });

  test('is no membership: it counts for no limit, and no client can leave or join it', async () => {
    const member = await entered(memberOf('ann'));
    expect(member.memberships).toEqual([]);
    groups.join(member, 'g', 1);
    groups.leave(member, limits.USER_GROUP, 2);
    await nextTurn();
    hub.publish(CHANNEL, 'hi');
    await nextTurn();
    expect(member.memberships).toEqual(['group:g']);
    expect(member.got.at(-1)).toEqual(message(1, 'hi'));
    expect(counters).toMatchObject({ joins: 1, leaves: 0 });
  });

  test('lingers after the last connection has gone, and is then unsubscribed', async () => {
    const [first, second] = [await entered(memberOf('ann')), await entered(memberOf('ann'))];
    groups.leaveAll(first);
    for (let tick = 0; tick < 10; tick++) wheel.tick();
    expect([groups.size, groups.users]).toEqual([0, 1]);
    groups.leaveAll(second);
    hub.publish(CHANNEL, 'hi');
    await nextTurn();
    for (let tick = 0; tick < 3; tick++) wheel.tick();
    expect(groups.users).toBe(0);
    expect(hub.calls.at(-1)).toEqual({ name: 'unsubscribe', channel: CHANNEL });
    for (const member of [first, second]) expect(member.got).toEqual([joined(0)]);
    expect(counters).toMatchObject({ joins: 0, leaves: 0 });
  });

  test('recovers after a position: what was missed, and then live messages', async () => {
    for (const text of ['1', '2', '3']) hub.publish(CHANNEL, text);
    const member = await entered(memberOf('ann'), 1);
    hub.publish(CHANNEL, '4');
    await nextTurn();
    expect(member.got).toEqual([
      joined(3, { recovered: true }),
      ...['2', '3', '4'].map((text) => message(Number(text), text)),
    ]);
  });

  test('tells what cannot be recovered', async () => {
    for (const text of ['1', '2', '3']) hub.publish(CHANNEL, text);
    hub.trim(CHANNEL);
    const member = await entered(memberOf('ann'), 1);
    hub.restart('epoch-2');
    hub.comeBack();
    expect(member.got).toEqual([
      joined(3, { recovered: false, reason: 'trimmed' }),
      { type: 'gap', user: true, reason: 'epoch_changed', epoch: 'epoch-2', offset: 0 },
    ]);
  });

  test('tells the connections when the hub rejects it', async () => {
    const member = await entered(memberOf('ann'));
    groups.rejected({ name: CHANNEL, prefix: false }, new ProtocolError('channel_limit'));
    expect(member.got.at(-1)).toMatchObject({ type: 'error', user: true, code: 'channel_limit' });
    expect(groups.users).toBe(0);
    groups.leaveAll(member);
  });

  test.each(['__proto__', '$user', 'a*', 'アン'])('of %j is like any other', async (uid) => {
    const member = await entered(memberOf(uid));
    hub.publish(`$user:${uid}`, 'hi');
    await nextTurn();
    expect(member.got).toEqual([joined(0), message(1, 'hi')]);
  });
});
