import {
  CHANNEL_NAME_BYTES_MAX,
  DEAD_QUEUE_PREFIX,
  GROUP_CHANNEL_PREFIX,
  GROUP_NAME_BYTES_MAX,
  KEY_BYTES_MAX,
  QUEUE_NAME_BYTES_MAX,
  SYSTEM_PREFIX,
  USER_CHANNEL_PREFIX,
} from './limits.ts';
import { isShortText } from './utf8-length.ts';

// C0, DEL and C1, line separators, and the marks that change the direction of text: names are
// printed on terminals and in logs.
const FORBIDDEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

function isName(name: unknown, bytesMax: number): name is string {
  return isShortText(name, bytesMax) && !FORBIDDEN.test(name);
}

/** Returns whether a name has 1 to 320 bytes of UTF-8 and no control characters. */
export function isChannelName(name: string): boolean {
  return isName(name, CHANNEL_NAME_BYTES_MAX);
}

/** Returns whether a text may be the key of a keyed publication: 1 to 520 bytes of UTF-8. */
export function isKey(key: unknown): key is string {
  return isShortText(key, KEY_BYTES_MAX);
}

/** Returns whether a group belongs to the system: no client may join it or send to it. */
export function isSystemGroup(groupName: string): boolean {
  return groupName.startsWith(SYSTEM_PREFIX);
}

/**
 * Returns whether a channel belongs to the system, or to a group of the system: only peers that the
 * hub trusts may publish or subscribe there, and prefixes do not match it.
 */
export function isSystemChannel(channel: string): boolean {
  return channel.startsWith(SYSTEM_PREFIX) || channel.startsWith(GROUP_CHANNEL_PREFIX + SYSTEM_PREFIX);
}

/** Returns whether a name has 1 to 255 bytes of UTF-8 and no control characters. */
export function isGroupName(name: unknown): name is string {
  return isName(name, GROUP_NAME_BYTES_MAX);
}

/** Returns whether it may be the id of a user: the name of a group without `*`. */
export function isUid(uid: unknown): uid is string {
  return isGroupName(uid) && !uid.includes('*');
}

/**
 * Returns whether a name has 1 to 255 bytes of UTF-8 and no control characters, and is not that of
 * a dead-letter queue.
 */
export function isQueueName(name: string): boolean {
  return isName(name, QUEUE_NAME_BYTES_MAX) && !name.startsWith(DEAD_QUEUE_PREFIX);
}

/**
 * Returns whether a name is that of a queue or a dead-letter queue. The latter can only be watched.
 */
export function isWatchableQueueName(name: string): boolean {
  const isDead = typeof name === 'string' && name.startsWith(DEAD_QUEUE_PREFIX);
  return isQueueName(isDead ? name.slice(DEAD_QUEUE_PREFIX.length) : name);
}

/**
 * Returns the name for a `group_id` of a client, a string or an integer: `123` and `"123"` are one
 * group. Returns `undefined` for other values.
 */
export function groupNameOf(groupId: unknown): string | undefined {
  return Number.isSafeInteger(groupId) || isGroupName(groupId) ? String(groupId) : undefined;
}

export function channelOfGroup(groupName: string): string {
  return GROUP_CHANNEL_PREFIX + groupName;
}

/** Returns the channel of the messages to a user. */
export function channelOfUser(uid: string): string {
  return USER_CHANNEL_PREFIX + uid;
}

/** Returns `undefined` for a channel that is not a group's. */
export function groupOfChannel(channel: string): string | undefined {
  // The prefix alone is a channel, because a group's name is not empty.
  const isOfGroup = channel.startsWith(GROUP_CHANNEL_PREFIX) && channel.length > GROUP_CHANNEL_PREFIX.length;
  return isOfGroup ? channel.slice(GROUP_CHANNEL_PREFIX.length) : undefined;
}
