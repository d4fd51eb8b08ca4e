import { OPERATIONS, type Operation } from '@groupcast/protocol/schema';
import { describe, expect, test } from 'vitest';
import { identityOf } from '../../testing/identity-of.ts';
import { AllNamespaceRules, NO_NAMESPACES } from './namespace-rules.ts';
import type { Asker } from './permissions.ts';

const RULES = new AllNamespaceRules([
  { prefix: 'chat:', allow: { members: ['publish'], users: ['join', 'history'], anonymous: ['info'] } },
  { prefix: 'chat:all:', allow: { members: ['*'], users: ['*'], anonymous: ['*'] } },
  { prefix: 'chat:none:' },
]);

const ANONYMOUS: Asker = { identity: undefined, memberships: [] };
const USER: Asker = { identity: identityOf('ann'), memberships: [] };

function memberOf(asker: Asker, ...groups: string[]): Asker {
  return { ...asker, memberships: groups.map((name) => `group:${name}`) };
}

function allowed(asker: Asker, groupName: string, rules = RULES): readonly Operation[] {
  return OPERATIONS.filter((operation) => rules.allows(asker, operation, groupName));
}

describe('a namespace allows', () => {
  test.each<[string, Asker, string, readonly Operation[]]>([
    ['a user', USER, 'chat:1', ['join', 'history']],
    ['a user in the group', memberOf(USER, 'x', 'chat:1'), 'chat:1', ['join', 'history', 'publish']],
    ['a user in another group', memberOf(USER, 'chat:2'), 'chat:1', ['join', 'history']],
    ['a client without a token', ANONYMOUS, 'chat:1', ['info']],
    ['such a client in the group', memberOf(ANONYMOUS, 'chat:1'), 'chat:1', ['publish', 'info']],
    ['a user everything', USER, 'chat:all:1', OPERATIONS],
    ['no client without a token to manage', ANONYMOUS, 'chat:all:1', OPERATIONS.slice(0, 5)],
    ['nothing by a shorter prefix', memberOf(USER, 'chat:none:1'), 'chat:none:1', []],
    ['nothing elsewhere', memberOf(USER, 'news'), 'news', []],
    ['nothing in groups of the system', memberOf(USER, '$chat'), '$chat', []],
  ])('%s', (_, asker, groupName, operations) => {
    expect(allowed(asker, groupName)).toEqual(operations);
  });
});

test('members have joined: `*` does not let them stay where they could not join', () => {
  const rules = new AllNamespaceRules([{ prefix: '', allow: { members: ['*'] } }]);
  expect(allowed(memberOf(USER, 'g'), 'g', rules)).toEqual(OPERATIONS.slice(1));
});

test('limits have values where the list has none', () => {
  const rules = new AllNamespaceRules([
    { prefix: 'a' },
    { prefix: 'b', message_bytes_max: 10, publish_per_second: 2, ephemeral: true },
  ]);
  expect(rules.find('a')).toMatchObject({
    messageBytesMax: Number.POSITIVE_INFINITY,
    publishPerSecond: undefined,
    isEphemeral: false,
  });
  expect(rules.find('b')).toMatchObject({ messageBytesMax: 10, publishPerSecond: 2, isEphemeral: true });
  expect([rules.rates, NO_NAMESPACES.rates]).toEqual([1, 0]);
});
