import type { Operation } from '@groupcast/protocol/schema';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Can } from '../src/auth/grants.ts';
import { PLAIN } from '../src/client-protocols/plain/protocol.ts';
import { V1 } from '../src/client-protocols/v1/protocol.ts';
import { FakeVerifier } from '../testing/fake-verifier.ts';
import { PermissionVisitor } from '../testing/permission-visitor.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';

const OPERATIONS: readonly Operation[] = ['join', 'history', 'publish', 'presence', 'info', 'manage'];

type Operations = readonly (Operation | '*')[];

interface Row {
  readonly pattern: string;
  /** Returns grants of these operations. */
  readonly can: (operations: Operations) => Can;
  readonly matched: readonly string[];
  readonly missed: readonly string[];
}

/** Patterns of the user `ann`, with groups that they match and groups that they miss. */
const ROWS: readonly Row[] = [
  {
    pattern: 'a name',
    can: (operations) => ({ team: operations }),
    matched: ['team'],
    missed: ['team2', 'tea', 'Team', '$team'],
  },
  {
    pattern: 'a prefix',
    can: (operations) => ({ 'team:*': operations }),
    matched: ['team:', 'team:1', 'team:*'],
    missed: ['team', 'teams:1', '$team:1'],
  },
  {
    pattern: '*',
    can: (operations) => ({ '*': operations }),
    matched: ['team', '__proto__', '{uid}'],
    missed: ['$', '$system', '$user:ann'],
  },
  {
    pattern: 'a name with {uid}',
    can: (operations) => ({ 'own:{uid}': operations }),
    matched: ['own:ann'],
    missed: ['own:bob', 'own:{uid}', 'own:ann2', 'own:'],
  },
  {
    pattern: 'a prefix with {uid}',
    can: (operations) => ({ '{uid}:*': operations }),
    matched: ['ann:', 'ann:1'],
    missed: ['ann', 'bob:1', '{uid}:1', 'anna:1'],
  },
  { pattern: 'none', can: () => ({}), matched: [], missed: ['team', '$team'] },
  {
    pattern: 'several, each with one operation',
    can: (operations) =>
      Object.fromEntries(
        operations.map((operation, index) => [`${'team:1'.slice(0, index + 1)}*`, [operation]]),
      ),
    matched: ['team:12'],
    missed: ['Team', 'x'],
  },
];

interface Way {
  readonly name: string;
  /** Operations that a client needs, in the order in which they are asked. */
  readonly needs: readonly Operation[];
  /** Returns what a client with these grants may not do in each group; undefined: it may. */
  readonly refused: (
    visitor: PermissionVisitor,
    can: Can,
    groups: readonly string[],
  ) => Promise<readonly (Operation | undefined)[]>;
  /** Whether it needs `groupcast.v1`. */
  readonly isV1?: boolean;
}

const at = { epoch: 'epoch-1', offset: 0 };

/** Returns the way of a command, with an id or without one. */
function command(
  name: string,
  needs: readonly Operation[],
  fields: object,
  { hasId = true, isMember = false } = {},
): Way {
  const [cmd = ''] = name.split(' ');
  return {
    name: `${name}${hasId ? '' : ' without an id'}${isMember ? ' of a group that the worker has' : ''}`,
    needs,
    refused: async (visitor, can, groups) => {
      if (isMember) await visitor.joinAsAnother(groups);
      const commands = groups.map((group_id) => ({ cmd, group_id, ...fields }));
      return visitor.commands(can, commands, hasId);
    },
  };
}

const WAYS: readonly Way[] = [
  command('add_group', ['join'], {}),
  command('add_group', ['join'], {}, { hasId: false }),
  command('add_group', ['join'], {}, { isMember: true }),
  command('add_group with since', ['join', 'history'], { since: at }),
  command('add_group with since', ['join', 'history'], { since: at }, { hasId: false }),
  command('add_group with last', ['join', 'history'], { last: 1 }, { isMember: true }),
  command('send_to_group', ['publish'], { message: 'm' }),
  command('send_to_group', ['publish'], { message: 'm' }, { hasId: false }),
  command('send_to_group ephemeral', ['publish'], { message: 'm', store: false }),
  command('history with since', ['history'], { since: at }),
  command('history with last', ['history'], { last: 1 }, { isMember: true }),
  command('group_info', ['info'], {}),
  command('group_info', ['info'], {}, { hasId: false }),
  command('group_info', ['info'], {}, { isMember: true }),
  command('kick', ['manage'], { uid: 'bob' }),
  command('ban', ['manage'], { uid: 'bob', seconds: 60 }, { hasId: false }),
  command('unban', ['manage'], { uid: 'bob' }),
  command('leave_group', [], {}),
  command('ping', [], {}),
  {
    name: 'a group that the token names',
    needs: ['join'],
    refused: (visitor, can, groups) => visitor.serverJoins(can, groups, false),
  },
  {
    name: 'a group that the token names, with a position in resume',
    needs: ['join', 'history'],
    refused: (visitor, can, groups) => visitor.serverJoins(can, groups, true),
    isV1: true,
  },
  {
    name: 'a group that the client is in before a refresh',
    needs: ['join'],
    refused: (visitor, can, groups) => visitor.refresh(can, groups),
  },
];

let started: StartedGateway;
let verifier: FakeVerifier;

beforeAll(async () => {
  verifier = new FakeVerifier();
  // A fast machine opens more than the default allows.
  started = await startGateway({ verifyToken: verifier.verify, handshakesPerSecond: 0 });
});

afterAll(async () => {
  await started.gateway.close();
});

describe.each([PLAIN, V1])('a client of $name', (protocol) => {
  const ways = WAYS.filter(({ isV1 = false }) => protocol !== PLAIN || !isV1);
  describe.each(ways)('$name', ({ needs, refused }) => {
    test.each(ROWS)('by a token with the pattern: $pattern', async ({ can, matched, missed }) => {
      const visitor = new PermissionVisitor(started, verifier, protocol);
      const none = (): undefined => undefined;
      for (const operations of [needs, ['*'], OPERATIONS] as const) {
        expect(await refused(visitor, can(operations), matched)).toEqual(matched.map(none));
        const expected = missed.map(() => needs[0]);
        expect(await refused(visitor, can(operations), missed)).toEqual(expected);
      }
      for (const need of needs) {
        const others = can(OPERATIONS.filter((operation) => operation !== need));
        expect(await refused(visitor, others, matched)).toEqual(matched.map(() => need));
      }
      await visitor.close();
    });
  });
});
