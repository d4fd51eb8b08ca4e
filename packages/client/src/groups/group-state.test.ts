import { expect, test } from 'vitest';
import { type GroupState, type Intent, nextCommand, recoveryOf } from './group-state.ts';

function intent(next: Intent['next']): Intent {
  return { load: undefined, reason: 'start', next };
}

const join = intent('add_group');
const locate = intent('group_info');
const load = intent(undefined);
const old = intent('add_group');
const sent = { cmd: 'add_group', want: old, since: undefined } as const;

test.each<[string, GroupState['want'], GroupState['have'], ReturnType<typeof nextCommand>]>([
  ['out, and not wanted', undefined, undefined, undefined],
  ['out, and wanted', join, undefined, 'add_group'],
  ['out, and the position to load from is needed', locate, undefined, 'group_info'],
  ['out, while the application loads', load, undefined, undefined],
  ['joined as wanted', join, join, undefined],
  ['joined, and not wanted', undefined, old, 'leave_group'],
  ['joined for an earlier intent', join, old, 'leave_group'],
  ['joined for an earlier intent, and the position is needed', locate, old, 'leave_group'],
  ['joined for an earlier intent, while the application loads', load, old, 'leave_group'],
  ['perhaps a member, and not wanted', undefined, 'unknown', 'leave_group'],
  ['perhaps a member, and wanted', join, 'unknown', 'leave_group'],
  ['perhaps a member, while the application loads', load, 'unknown', 'leave_group'],
])('%s', (_, want, have, command) => {
  expect(nextCommand({ want, have, inFlight: undefined })).toBe(command);
  // At most one command waits for its answer.
  expect(nextCommand({ want, have, inFlight: sent })).toBeUndefined();
});

const at = (epoch: string, offset: number) => ({ epoch, offset });

test.each([
  ['no position to continue from', {}, at('e', 7), undefined, { position: at('e', 7) }],
  ['the newest messages', { count: 3 }, at('e', 7), undefined, { position: at('e', 4), count: 3 }],
  ['no messages yet', { count: 0 }, at('e', 0), undefined, { position: at('e', 0), count: 0 }],
  ['more messages than offsets', { count: 9 }, at('e', 7), undefined, { position: at('e', 7), count: 9 }],
  ['recovered', { recovered: true }, at('e', 7), at('e', 5), { position: at('e', 5), recovered: true }],
  ['nothing missed', {}, at('e', 5), at('e', 5), { position: at('e', 5), recovered: true }],
  [
    'the reason of the gateway',
    { recovered: false, reason: 'limit' as const },
    at('e', 7),
    at('e', 5),
    { position: at('e', 7), recovered: false, reason: 'limit' },
  ],
  [
    'missed, without a reason',
    {},
    at('e', 7),
    at('e', 5),
    { position: at('e', 7), recovered: false, reason: 'trimmed' },
  ],
  [
    'another history, without a reason',
    { recovered: true },
    at('f', 5),
    at('e', 5),
    { position: at('f', 5), recovered: false, reason: 'epoch_changed' },
  ],
])('the recovery of a join: %s', (_, ack, position, since, joined) => {
  expect(recoveryOf(ack, position, since)).toEqual(joined);
});
