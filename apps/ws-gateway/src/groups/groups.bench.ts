import type { native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { bench, describe } from 'vitest';
import { OPEN } from '../../testing/fake-member.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { createCounters } from '../admin/gateway-stats.ts';
import { PLAIN } from '../client-protocols/plain/protocol.ts';
import type { RateLimit } from '../connection/rate-limit.ts';
import { completeOptions } from '../options.ts';
import { TimingWheel } from '../timing-wheel.ts';
import { Groups } from './groups.ts';
import type { Member } from './member.ts';

const MEMBERS = 2;
const PAYLOAD = new TextEncoder().encode('x'.repeat(128));

/** A member that drops everything. */
class SilentMember implements Member {
  readonly id = 'member';
  readonly protocol = PLAIN;
  readonly memberships: string[] = [];
  readonly isOpen = true;
  readonly isNew = false;
  readonly bufferedBytes = 0;
  readonly identity = undefined;
  pendingCommands = 0;
  recoveryBytes: RateLimit | undefined;
  deliver(): void {}
  sendEvent(): boolean {
    return true;
  }
  renew(): void {}
  reject(): void {}
}

/** Returns `count` live groups. */
function groupsOf(count: number): Groups {
  const hub = new LoopbackHub();
  const groups = new Groups(completeOptions({ hub, wheel: new TimingWheel() }), createCounters(), OPEN);
  for (let index = 0; index < count; index++) {
    for (let member = 0; member < MEMBERS; member++) groups.join(new SilentMember(), name(index), undefined);
    groups.subscribed({ name: `group:${name(index)}`, prefix: false });
  }
  return groups;
}

function name(index: number): string {
  return `group-${index}`;
}

// The cost of a message, and of a join and leave, must not grow with the number of groups.
describe.each([10, 1_000, 100_000])('with %i groups of two', (count) => {
  const groups = groupsOf(count);
  const newcomer = new SilentMember();
  let offset = 0;
  let next = 0;

  bench('a message to one group', () => {
    next = (next + 7_919) % count;
    offset += 1;
    const publication: native.Publication = {
      channel: `group:${name(next)}`,
      ...TEXT_FIELDS,
      payload: PAYLOAD,
      number: offset,
    };
    groups.deliver(publication);
    groups.deliverPending(name(next));
  });

  bench('a join and a leave', () => {
    next = (next + 7_919) % count;
    groups.join(newcomer, name(next), undefined);
    groups.leave(newcomer, name(next), undefined);
  });
});
