import {
  CHANNEL_NAME_BYTES_MAX,
  DEAD_QUEUE_PREFIX,
  GROUP_CHANNEL_PREFIX,
  GROUP_NAME_BYTES_MAX,
  QUEUE_NAME_BYTES_MAX,
} from './limits.ts';
import { isShortText } from './utf8-length.ts';

// C0, DEL and C1, and the marks that turn the direction of what follows: names end up on terminals and in logs.
const FORBIDDEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

function isName(name: unknown, bytesMax: number): name is string {
  return isShortText(name, bytesMax) && !FORBIDDEN.test(name);
}

/** 1 to 261 bytes of UTF-8, no control characters. */
export function isChannelName(name: string): boolean {
  return isName(name, CHANNEL_NAME_BYTES_MAX);
}

/** 1 to 255 bytes of UTF-8, no control characters. */
export function isGroupName(name: unknown): name is string {
  return isName(name, GROUP_NAME_BYTES_MAX);
}

/** 1 to 255 bytes of UTF-8, no control characters, and not the beginning of a dead-letter queue's name. */
export function isQueueName(name: string): boolean {
  return isName(name, QUEUE_NAME_BYTES_MAX) && !name.startsWith(DEAD_QUEUE_PREFIX);
}

/** The name of a queue, or of the dead-letter queue of one: what can be watched, and not only filled. */
export function isWatchableQueueName(name: string): boolean {
  const isDead = typeof name === 'string' && name.startsWith(DEAD_QUEUE_PREFIX);
  return isQueueName(isDead ? name.slice(DEAD_QUEUE_PREFIX.length) : name);
}

/** A `group_id` as clients send it, a string or an integer: `123` and `"123"` are one group. `undefined` when it is neither. */
export function groupNameOf(groupId: unknown): string | undefined {
  return Number.isSafeInteger(groupId) || isGroupName(groupId) ? String(groupId) : undefined;
}

export function channelOfGroup(groupName: string): string {
  return GROUP_CHANNEL_PREFIX + groupName;
}

/** `undefined` for a channel that is no group's. */
export function groupOfChannel(channel: string): string | undefined {
  // The prefix alone is a channel, and a group's name is not empty.
  const isOfGroup = channel.startsWith(GROUP_CHANNEL_PREFIX) && channel.length > GROUP_CHANNEL_PREFIX.length;
  return isOfGroup ? channel.slice(GROUP_CHANNEL_PREFIX.length) : undefined;
}
