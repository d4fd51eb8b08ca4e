import { groupNameOf } from '@groupcast/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupcastError } from '../groupcast-error.ts';
import { groupName } from './group-id.ts';

function nameOrCode(id: unknown): string | undefined {
  try {
    return groupName(id as string);
  } catch (error) {
    expect((error as GroupcastError).code).toBe('invalid_group');
    return undefined;
  }
}

test.each([
  123,
  '123',
  -5,
  2 ** 53,
  1.5,
  Number.NaN,
  '',
  '__proto__',
  'a'.repeat(255),
  'a'.repeat(256),
  'é'.repeat(127),
  'é'.repeat(128),
  'a\nb',
  '\u007f',
  '\u0085',
  '\u061c',
  '\u202e',
  '\u2066',
  '\u2029',
  '\ud800',
  '\udc00x',
  '😀',
  ' ',
  null,
  undefined,
  {},
  ['a'],
  true,
])('accepts %j if the gateway does', (id) => {
  expect(nameOrCode(id)).toBe(groupNameOf(id));
});

test('agrees with the gateway on any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (id) => {
      expect(nameOrCode(id)).toBe(groupNameOf(id));
    }),
    { numRuns: 300 },
  );
});

test('throws a GroupcastError', () => {
  expect(() => groupName('')).toThrow(GroupcastError);
});
