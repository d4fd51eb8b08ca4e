import type { Random } from '../faults/random.ts';

/** Few, so that peers meet in them; and with all that has ever been mistaken for something else. */
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
] as const;
const QUEUES = ['jobs', 'q', '__proto__', '7'] as const;

export function channelName(random: Random): string {
  return random.pick(CHANNELS);
}

/** What may be filled, or watched. */
export function queueName(random: Random): string {
  return random.pick(QUEUES);
}

export function watchedName(random: Random): string {
  const name = queueName(random);
  return random.next() < 0.1 ? `$dead:${name}` : name;
}

/** Up to `countMax` of them, some more than once. */
export function several(random: Random, name: (random: Random) => string, countMax = 3): string[] {
  return Array.from({ length: random.between(1, countMax) }, () => name(random));
}
