import type { Operation } from '@groupcast/protocol/schema';
import { beforeEach, expect, test } from 'vitest';
import { FakeMember } from '../../testing/fake-member.ts';
import { identityOf } from '../../testing/identity-of.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { type Counters, createCounters } from '../admin/gateway-stats.ts';
import { Permissions } from '../auth/permissions.ts';
import { PageRequests } from './page-requests.ts';

let hub: LoopbackHub;
let counters: Counters;
let requests: PageRequests;
let member: FakeMember;
let done: string[];

beforeEach(() => {
  hub = new LoopbackHub();
  hub.byHand = true;
  counters = createCounters();
  const limits = { messagesBurst: 100, positionRequestsMax: 100, joinMs: 10_000 };
  requests = new PageRequests({ hub, ...limits }, counters, new Permissions({ auth: 'token' }));
  member = new FakeMember('ann');
  member.identity = identityOf('ann', { g: ['*'] });
  done = [];
});

function ask(id: number, operation: Operation): void {
  requests.add(member, {
    id,
    groupName: 'g',
    operation,
    from: { last: 1 },
    reply: () => done.push(`reply ${id}`),
    failed: () => done.push(`failed ${id}`),
  });
}

test.each(['history', 'info'] as const)(
  'a page that arrives after the loss of %s is not told',
  (operation) => {
    ask(1, operation);
    member.identity = identityOf('ann', { g: ['join'] });
    hub.answerReads();
    expect(done).toEqual(['failed 1']);
    const message = `Operation ${operation} is not allowed in group "g". Use a token that grants it.`;
    expect(member.got).toEqual([{ type: 'error', id: 1, code: 'forbidden', message, operation }]);
    expect(counters.rejected.forbidden).toBe(1);
    expect(requests.size).toBe(0);
  },
);

test('requests that wait behind it ask by themselves', () => {
  for (let id = 1; id <= 20; id++) ask(id, id === 1 ? 'history' : 'info');
  member.identity = identityOf('ann', { g: ['info'] });
  while (hub.reads.length > 0) hub.answerReads();
  expect(done).toEqual(['failed 1', ...Array.from({ length: 19 }, (_, index) => `reply ${index + 2}`)]);
  expect(requests.size).toBe(0);
});
