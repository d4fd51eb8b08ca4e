import { CommandError, type Operation } from '@groupcast/protocol/schema';
import { describe, expect, test } from 'vitest';
import { identityOf } from '../../testing/identity-of.ts';
import { type Asker, Permissions } from './permissions.ts';

const OPERATIONS: readonly Operation[] = ['join', 'history', 'publish', 'presence', 'info', 'manage'];
const ANONYMOUS: Asker = { identity: undefined, memberships: [] };
const ANN: Asker = { identity: identityOf('ann', { 'own:{uid}': ['*'], news: ['join'] }), memberships: [] };

function errorOf(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('Permissions', () => {
  test('without tokens a client may do everything, but to groups of the system', () => {
    const open = new Permissions({ auth: 'none' });
    for (const operation of OPERATIONS) {
      expect(open.may(ANONYMOUS, operation, 'g')).toBe(true);
      expect(open.may(ANONYMOUS, operation, '$g')).toBe(false);
    }
  });

  test('with tokens a client may do what its token grants', () => {
    const permissions = new Permissions({ auth: 'token' });
    for (const operation of OPERATIONS) {
      expect(permissions.may(ANN, operation, 'own:ann')).toBe(true);
      expect(permissions.may(ANN, operation, 'own:bob')).toBe(false);
      expect(permissions.may(ANN, operation, 'news')).toBe(operation === 'join');
      expect(permissions.may(ANONYMOUS, operation, 'news')).toBe(false);
    }
  });

  test('the first rule decides: system, ban, token, namespace', () => {
    const all: Asker = { identity: identityOf('ann', { '*': ['*'] }), memberships: [] };
    const permissions = new Permissions({
      auth: 'token',
      isBanned: (uid, group) => uid === 'ann' && group === 'banned',
      namespaceAllows: (_client, operation, group) => operation === 'info' && group !== 'closed',
    });
    expect(permissions.may(all, 'info', '$g')).toBe(false);
    expect(permissions.may(all, 'info', 'banned')).toBe(false);
    expect(permissions.may(all, 'publish', 'closed')).toBe(true);
    expect(permissions.may(ANN, 'info', 'open')).toBe(true);
    expect(permissions.may(ANN, 'info', 'closed')).toBe(false);
    expect(permissions.may(ANONYMOUS, 'info', 'banned')).toBe(true);
    expect(permissions.may(ANONYMOUS, 'join', 'open')).toBe(false);
  });

  test('an error names the operation and the group, and what to do', () => {
    const permissions = new Permissions({ auth: 'token', isBanned: (_uid, group) => group === 'b' });
    const error = errorOf(() => permissions.check(ANN, 'publish', 'a "b"', 7));
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({
      code: 'forbidden',
      id: 7,
      operation: 'publish',
      message: 'Operation publish is not allowed in group "a \\"b\\"". Use a token that grants it.',
    });
    expect(permissions.refusal(ANN, 'join', 'b')?.sentence).toBe(
      'You are banned from group "b". Try join again after the ban.',
    );
    expect(permissions.refusal(ANN, 'join', '$b')?.sentence).toBe(
      'This name belongs to the system. Use a name without $.',
    );
  });

  test('a join with earlier messages needs join and history', () => {
    const permissions = new Permissions({ auth: 'token' });
    expect(permissions.joinRefusal(ANN, 'news', false)).toBeUndefined();
    expect(permissions.joinRefusal(ANN, 'news', true)?.operation).toBe('history');
    expect(permissions.joinRefusal(ANN, 'other', true)?.operation).toBe('join');
  });
});
