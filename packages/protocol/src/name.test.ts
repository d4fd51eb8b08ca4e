import { describe, expect, test } from 'vitest';
import {
  channelOfGroup,
  groupNameOf,
  groupOfChannel,
  isChannelName,
  isGroupName,
  isQueueName,
  isWatchableQueueName,
} from './name.ts';

describe('group_id', () => {
  test.each([
    [123, '123'],
    ['123', '123'],
    ['007', '007'],
    [-5, '-5'],
    [-0, '0'],
    [1e3, '1000'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['-0', '-0'],
    ['1.5', '1.5'],
    [' ', ' '],
    ['これは', 'これは'],
    ['😀', '😀'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
  ])('%j is the group "%s"', (groupId, name) => {
    expect(groupNameOf(groupId)).toBe(name);
  });

  test.each([
    1.5,
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    123n,
    true,
    null,
    undefined,
    {},
    ['123'],
    '',
    Symbol.iterator,
  ])('%s is invalid', (groupId) => {
    expect(groupNameOf(groupId)).toBeUndefined();
  });
});

describe('characters', () => {
  const refused = [
    ...Array.from({ length: 0x20 }, (_, code) => code),
    ...Array.from({ length: 0x21 }, (_, index) => 0x7f + index),
    // All characters with the property Bidi_Control, and the two line separators.
    ...[0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069],
    ...[0x2028, 0x2029],
  ];

  test.each(refused.map((code) => code.toString(16).padStart(4, '0')))('U+%s is in no name', (hex) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    for (const name of [character, `a${character}`, `${character}a`, `a${character}b`]) {
      expect(isGroupName(name)).toBe(false);
      expect(isChannelName(name)).toBe(false);
    }
  });

  test('the characters next to them are valid', () => {
    for (const code of [0x20, 0x7e, 0xa0, 0x061b, 0x061d, 0x200d, 0x2010, 0x2027, 0x202f, 0x2065, 0x206a]) {
      expect(isGroupName(String.fromCharCode(code)), code.toString(16)).toBe(true);
    }
  });

  test.each(['\ud800', '\udc00', 'a\ud83d', '\ude00\ud83d', '\ud83d\ud83d\ude00'])(
    'half of a surrogate pair is in no name: %j',
    (name) => {
      expect(isGroupName(name)).toBe(false);
      expect(isChannelName(name)).toBe(false);
    },
  );
});

describe('length', () => {
  test.each([
    ['x', 255, 320],
    ['é', 127, 160],
    ['あ', 85, 106],
    ['😀', 63, 80],
  ])('is in bytes of UTF-8: "%s"', (character, inGroup, inChannel) => {
    expect(isGroupName(character.repeat(inGroup))).toBe(true);
    expect(isGroupName(character.repeat(inGroup + 1))).toBe(false);
    expect(isChannelName(character.repeat(inChannel))).toBe(true);
    expect(isChannelName(character.repeat(inChannel + 1))).toBe(false);
  });

  test('255 bytes fit, 256 do not', () => {
    expect(isGroupName(`${'あ'.repeat(84)}abc`)).toBe(true);
    expect(isGroupName(`${'あ'.repeat(84)}abcd`)).toBe(false);
  });

  test('an empty name is invalid, and so is one of 64 KiB', () => {
    for (const name of ['', 'x'.repeat(65_536)]) {
      expect(isGroupName(name)).toBe(false);
      expect(isChannelName(name)).toBe(false);
    }
  });
});

describe('channels of groups', () => {
  test.each(['123', '__proto__', 'group:1', 'あ'.repeat(85)])('%s, there and back', (group) => {
    const channel = channelOfGroup(group);
    expect(channel).toBe(`group:${group}`);
    expect(isChannelName(channel)).toBe(true);
    expect(groupOfChannel(channel)).toBe(group);
  });

  test.each(['news', 'group', 'Group:1', ' group:1', 'group:'])('%s is no channel of a group', (channel) => {
    expect(groupOfChannel(channel)).toBeUndefined();
  });
});

describe('queues', () => {
  test.each(['jobs', 'dead:jobs', '$dead', '__proto__', 'あ'.repeat(85)])(
    '%s can be filled and watched',
    (name) => {
      expect(isQueueName(name)).toBe(true);
      expect(isWatchableQueueName(name)).toBe(true);
      expect(isWatchableQueueName(`$dead:${name}`)).toBe(true);
      expect(isChannelName(`$dead:${name}`)).toBe(true);
    },
  );

  test('a dead-letter queue cannot be filled from outside', () => {
    expect(isQueueName('$dead:jobs')).toBe(false);
  });

  test.each(['', '$dead:', '$dead:$dead:jobs', 'a\nb', 'x'.repeat(256)])('%s is invalid', (name) => {
    expect(isQueueName(name)).toBe(false);
    expect(isWatchableQueueName(name)).toBe(false);
  });
});
