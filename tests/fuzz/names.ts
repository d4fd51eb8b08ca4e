import type { Random } from '../faults/random.ts';

/** Few names, so that peers share them, among them all that were ever misread. */
const CHANNELS = [
  'a',
  'b',
  'group:1',
  'group:日本',
  'send_to_group',
  'turn',
  '__proto__',
  'constructor',
  '123',
  '$bans',
  'group:$all',
] as const;
const QUEUES = ['jobs', 'q', '__proto__', '7'] as const;

export function channelName(random: Random): string {
  return random.pick(CHANNELS);
}

/** Names of queues to enqueue to or to watch. */
export function queueName(random: Random): string {
  return random.pick(QUEUES);
}

export function watchedName(random: Random): string {
  const name = queueName(random);
  return random.next() < 0.1 ? `$dead:${name}` : name;
}

/** Returns up to `countMax` names, some more than once. */
export function several(random: Random, name: (random: Random) => string, countMax = 3): string[] {
  return Array.from({ length: random.between(1, countMax) }, () => name(random));
}
