import { expect, test } from 'vitest';
import { type GroupState, type Intent, nextCommand } from './group-state.ts';

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
