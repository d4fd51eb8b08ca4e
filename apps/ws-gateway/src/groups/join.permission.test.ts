import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMember } from '../../testing/fake-member.ts';
import { identityOf } from '../../testing/identity-of.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { type Counters, createCounters } from '../admin/gateway-stats.ts';
import type { Can } from '../auth/grants.ts';
import { Permissions } from '../auth/permissions.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import { PLAIN } from '../client-protocols/plain/protocol.ts';
import { V1 } from '../client-protocols/v1/protocol.ts';
import { completeOptions } from '../options.ts';
import { TimingWheel } from '../timing-wheel.ts';
import { Groups } from './groups.ts';

const ALL = { g: ['*'] } as const;
const ONLY_JOIN = { g: ['join'] } as const;
const NOTHING = {};
const FORBIDDEN = { type: 'error', code: 'forbidden' };
const REMOVED = { type: 'removed', group_id: 'g', reason: 'permission' };

let hub: LoopbackHub;
let wheel: TimingWheel;
let counters: Counters;
let groups: Groups;

beforeEach(() => {
  hub = new LoopbackHub();
  hub.pageMax = 2;
  wheel = new TimingWheel();
  counters = createCounters();
  const permissions = new Permissions({ auth: 'token' });
  groups = new Groups(completeOptions({ hub, wheel }), counters, permissions);
});

async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function memberWith(can: Can, protocol: ClientProtocol = V1): FakeMember {
  const member = new FakeMember('ann', protocol);
  member.identity = identityOf('ann', can);
  return member;
}

/** Replaces the token of a member. */
function refresh(member: FakeMember, can: Can): void {
  member.identity = identityOf('ann', can);
}

function at(offset: number): { epoch: string; offset: number } {
  return { epoch: 'epoch-1', offset };
}

function publish(count: number): void {
  for (let index = 0; index < count; index++) hub.publish('group:g', 'x');
}

function messagesOf(member: FakeMember): number {
  return member.got.filter((event) => (event as { type?: string }).type === 'message').length;
}

describe('a member that loses its permission', () => {
  test('while its first join waits for the hub gets an error, and no message', async () => {
    const member = memberWith(ALL);
    groups.join(member, 'g', 1);
    refresh(member, NOTHING);
    await turns();
    publish(1);
    await turns();
    const message = 'Operation join is not allowed in group "g". Use a token that grants it.';
    expect(member.got).toEqual([{ ...FORBIDDEN, id: 1, message, operation: 'join' }]);
    expect(member.memberships).toEqual([]);
    expect(member.pendingCommands).toBe(0);
    expect(counters.rejected.forbidden).toBe(1);
  });

  test('while a join without an id waits is told that it was removed', async () => {
    const member = memberWith(ALL);
    groups.join(member, 'g', undefined);
    refresh(member, NOTHING);
    await turns();
    publish(1);
    await turns();
    expect(member.got).toEqual([REMOVED]);
    expect(member.memberships).toEqual([]);
  });

  test('gets no page of history that was asked for before', async () => {
    publish(3);
    const other = memberWith(ALL);
    groups.join(other, 'g', undefined);
    await turns();
    const member = memberWith(ALL);
    groups.join(member, 'g', 1, at(0));
    expect(hub.calls.at(-1)).toEqual({ name: 'history', channel: 'group:g' });
    refresh(member, ONLY_JOIN);
    await turns();
    expect(member.got).toMatchObject([{ ...FORBIDDEN, id: 1, operation: 'history' }]);
    expect(member.memberships).toEqual([]);
  });

  test('in the middle of a recovery gets no further page', async () => {
    publish(6);
    const member = memberWith(ALL);
    member.wrote = () => refresh(member, ONLY_JOIN);
    groups.join(member, 'g', 1, at(0));
    await turns();
    expect(member.got[0]).toMatchObject({ type: 'ack', id: 1, recovered: true });
    expect(messagesOf(member)).toBe(2);
    expect(member.got.at(-1)).toEqual(REMOVED);
    publish(1);
    await turns();
    expect(messagesOf(member)).toBe(2);
    expect(groups.recovering).toBe(0);
  });

  test('while its recovery waits for its budget is removed without another page', async () => {
    groups = new Groups(
      completeOptions({ hub, wheel, recoveryBytesBurst: 65_536, recoveryBytesPerSecond: 1 }),
      counters,
      new Permissions({ auth: 'token' }),
    );
    publish(4);
    const member = memberWith(ALL);
    groups.join(member, 'g', 1, at(0));
    await turns();
    expect(messagesOf(member)).toBe(2);
    refresh(member, ONLY_JOIN);
    const reads = hub.calls.length;
    wheel.tick();
    expect(member.got.at(-1)).toEqual(REMOVED);
    expect(hub.calls).toHaveLength(reads);
  });

  test('with a second join that waits gets its error', async () => {
    const member = memberWith(ALL);
    groups.join(member, 'g', undefined);
    groups.join(member, 'g', 2);
    refresh(member, NOTHING);
    await turns();
    expect(member.got).toMatchObject([{ ...FORBIDDEN, id: 2, operation: 'join' }]);
  });

  test('stays in the group for what it was read before, and leaves with removeForbidden', async () => {
    const member = memberWith({ 'g*': ['join'] });
    const plain = memberWith({ 'g*': ['join'] }, PLAIN);
    for (const name of ['g', 'g2']) {
      groups.join(member, name, undefined);
      groups.join(plain, name, undefined);
    }
    await turns();
    refresh(member, ONLY_JOIN);
    refresh(plain, ONLY_JOIN);
    groups.removeForbidden(member);
    groups.removeForbidden(plain);
    expect(member.got).toEqual([{ ...REMOVED, group_id: 'g2' }]);
    expect(plain.got).toMatchObject([{ ...FORBIDDEN, group_id: 'g2', operation: 'join' }]);
    expect(member.memberships).toEqual(['group:g']);
    publish(1);
    await turns();
    expect(messagesOf(member)).toBe(1);
  });
});

describe('a group that the server joins', () => {
  test('needs join in the token that names it, and history for a position', async () => {
    const member = memberWith(ONLY_JOIN);
    expect(groups.joinByToken(member, 'other')).toBe(false);
    expect(groups.joinByToken(member, '$g')).toBe(false);
    expect(groups.joinByToken(member, 'g', at(0))).toBe(false);
    expect(groups.joinByToken(member, 'g')).toBe(true);
    await turns();
    expect(member.got).toMatchObject([
      { ...FORBIDDEN, group_id: 'other', operation: 'join' },
      { ...FORBIDDEN, group_id: '$g', operation: 'join' },
      { ...FORBIDDEN, group_id: 'g', operation: 'history' },
      { type: 'joined', group_id: 'g' },
    ]);
    refresh(member, NOTHING);
    groups.removeForbidden(member);
    expect(member.got.at(-1)).toEqual(REMOVED);
  });

  test.each(['g', '$g'])(
    '%s needs nothing for the program around the gateway, now and later',
    async (name) => {
      publish(1);
      const member = memberWith(NOTHING);
      expect(groups.joinByServer(member, name)).toBe(true);
      await turns();
      groups.removeForbidden(member);
      expect(member.got).toMatchObject([{ type: 'joined', group_id: name }]);
      expect(member.memberships).toEqual([`group:${name}`]);
    },
  );

  test('stays the decision of the program where the client had joined before, until it leaves', async () => {
    const member = memberWith(ALL);
    groups.join(member, 'g', undefined);
    expect(groups.joinByServer(member, 'g')).toBe(false);
    refresh(member, NOTHING);
    groups.removeForbidden(member);
    await turns();
    expect(member.got).toEqual([]);
    groups.leave(member, 'g', undefined);
    expect(() => groups.join(member, 'g', 1)).toThrow('Operation join is not allowed');
    refresh(member, ALL);
    groups.join(member, 'g', undefined);
    refresh(member, NOTHING);
    groups.removeForbidden(member);
    expect(member.got).toEqual([REMOVED]);
  });
});
