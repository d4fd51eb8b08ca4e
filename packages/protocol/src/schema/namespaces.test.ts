import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NAMESPACES_BYTES_MAX, NAMESPACES_MAX } from '../limits.ts';
import { NamespacesError, NamespaceTable, parseNamespaces } from './namespaces.ts';

/** Returns the faults of a list. */
function faultsOf(list: unknown): readonly string[] {
  try {
    parseNamespaces(typeof list === 'string' ? list : JSON.stringify(list));
  } catch (error) {
    if (error instanceof NamespacesError) return error.faults;
    throw error;
  }
  return [];
}

describe('parseNamespaces', () => {
  test('accepts every field, and none but the prefix', () => {
    const list = [
      {
        prefix: 'chat:',
        allow: { members: ['publish', '*'], users: ['join', 'history'], anonymous: [] },
        message_bytes_max: 1_024,
        publish_per_second: 0.5,
        history: { count: 100_000, seconds: 604_800, bytes: 0 },
        ephemeral: true,
      },
      { prefix: '' },
    ];
    expect(parseNamespaces(JSON.stringify(list))).toEqual(list);
    expect(parseNamespaces('[]')).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['no JSON', '[{"prefix":]', 'The list is not JSON: '],
    ['no list', '{}', 'The list is {}. Give a list of namespaces.'],
    ['no object', [1], '[0] is 1. Give an object with prefix, allow, '],
    ['no prefix', [{ prefix: 'a' }, {}], '[1].prefix is missing. Give the beginning of names of groups.'],
    [
      'a system prefix',
      [{ prefix: '$user' }],
      '[0].prefix is "$user". Give the beginning of names of groups,',
    ],
    ['a long prefix', [{ prefix: 'x'.repeat(256) }], '[0].prefix is "xxx'],
    ['a control character', [{ prefix: 'a\n' }], '[0].prefix is "a\\n". Give '],
    ['half of a surrogate pair', '[{"prefix":"\\ud800"}]', '[0].prefix is "\\ud800". Give '],
    [
      'a key twice',
      '[{"prefix":"a"},{"prefix":"b","ephemeral":true,"ephemeral":false}]',
      'An object of the list has the same key twice.',
    ],
    ['an unknown key', [{ prefix: '', colour: 1 }], '[0].colour is unknown. Remove it.'],
    ['a prototype', '[{"prefix":"","__proto__":{}}]', '[0].__proto__ is unknown. Remove it.'],
    ['an unknown list', [{ prefix: '', allow: { user: [] } }], '[0].allow.user is unknown. Remove it.'],
    [
      'no list of operations',
      [{ prefix: '', allow: { users: 'join' } }],
      '[0].allow.users is "join". Give a list',
    ],
    [
      'an unknown operation',
      [{ prefix: '', allow: { users: ['join', 'read'] } }],
      '[0].allow.users[1] is "read". Give one of join, history, publish, presence, info, manage, *.',
    ],
    [
      'join for members',
      [{ prefix: '', allow: { members: ['join'] } }],
      '[0].allow.members[0] is "join". Give one of history, publish, presence, info, manage, *.',
    ],
    [
      'manage for anonymous clients',
      [{ prefix: '', allow: { anonymous: ['manage'] } }],
      '[0].allow.anonymous[0] is "manage". Give one of join, history, publish, presence, info, *.',
    ],
    [
      'a size of 0',
      [{ prefix: '', message_bytes_max: 0 }],
      '[0].message_bytes_max is 0. Give an integer from 1',
    ],
    [
      'a rate of 0',
      [{ prefix: '', publish_per_second: 0 }],
      '[0].publish_per_second is 0. Give a number above 0',
    ],
    [
      'a fraction',
      [{ prefix: '', history: { count: 1.5 } }],
      '[0].history.count is 1.5. Give an integer from 0',
    ],
    [
      'months',
      [{ prefix: '', history: { seconds: 2_592_001 } }],
      '[0].history.seconds is 2592001. Give an integer',
    ],
    [
      'null',
      [{ prefix: '', history: null }],
      '[0].history is null. Give an object with count, seconds, bytes.',
    ],
    ['a text', [{ prefix: '', ephemeral: 'yes' }], '[0].ephemeral is "yes". Give true or false.'],
    [
      'equal prefixes',
      [{ prefix: 'a' }, { prefix: '' }, { prefix: 'a' }],
      '[2].prefix is "a", as [0].prefix is. Give each prefix once.',
    ],
  ])('rejects %s, and names the place and the value', (_, list, fault) => {
    expect(faultsOf(list)).toEqual([expect.stringContaining(fault)]);
  });

  test('names every fault, twenty at most', () => {
    expect(faultsOf([{ prefix: 1 }, { prefix: '', history: { count: -1, days: 7 } }])).toHaveLength(3);
    const faults = faultsOf(Array.from({ length: 30 }, () => ({ prefix: '', ephemeral: 0 })));
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)).toBe('There are 10 more faults.');
  });

  test('has limits', () => {
    const list = Array.from({ length: NAMESPACES_MAX }, (_, index) => ({ prefix: `${index}` }));
    expect(faultsOf(list)).toEqual([]);
    expect(faultsOf([...list, { prefix: '' }])).toEqual([
      expect.stringContaining(`Give at most ${NAMESPACES_MAX} namespaces.`),
    ]);
    expect(faultsOf(`[]${' '.repeat(NAMESPACES_BYTES_MAX)}`)).toEqual([
      `The list has ${NAMESPACES_BYTES_MAX + 2} bytes. Give at most ${NAMESPACES_BYTES_MAX}.`,
    ]);
  });

  test('ignores what a later version adds, where it is told to', () => {
    const text = '[{"prefix":"","allow":{"users":["fly"],"robots":[]},"colour":1}]';
    expect(parseNamespaces(text, { ignoreUnknown: true })).toMatchObject([{ prefix: '' }]);
    expect(() => parseNamespaces('[{"prefix":1,"colour":1}]', { ignoreUnknown: true })).toThrow('[0].prefix');
  });
});

describe('NamespaceTable', () => {
  test('finds the longest prefix, as a search of all does', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', ':', '漢', '😀'), maxLength: 8 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 20 }), name, (prefixes, groupName) => {
        const table = new NamespaceTable(prefixes.map((prefix) => ({ prefix })));
        const all = prefixes.filter((prefix) => groupName.startsWith(prefix));
        const longest = all.sort((one, other) => other.length - one.length)[0];
        expect(table.find(groupName)?.prefix).toBe(longest);
      }),
    );
  });

  test('has nothing for groups of the system', () => {
    expect(new NamespaceTable([{ prefix: '' }]).find('$a')).toBeUndefined();
    expect(new NamespaceTable([{ prefix: '' }]).find('a')).toEqual({ prefix: '' });
  });
});
