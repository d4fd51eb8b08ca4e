import type { Operation } from '@groupcast/protocol/schema';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Can, Grants } from './grants.ts';

const OPERATIONS: readonly Operation[] = ['join', 'history', 'publish', 'presence', 'info', 'manage'];
const UID_PLACE = '{uid}';

/** Returns whether a pattern matches, one character after the other. */
function matches(pattern: string, group: string, uid: string): boolean {
  if (pattern === '') return group === '';
  if (pattern === '*') return true;
  if (pattern.startsWith(UID_PLACE))
    return group.startsWith(uid) && matches(pattern.slice(UID_PLACE.length), group.slice(uid.length), uid);
  return pattern[0] === group[0] && matches(pattern.slice(1), group.slice(1), uid);
}

function allows(can: Can, uid: string, operation: Operation, group: string): boolean {
  return Object.entries(can).some(
    ([pattern, operations]) =>
      (operations.includes('*') || operations.includes(operation)) && matches(pattern, group, uid),
  );
}

const PIECES = ['a', 'b', ':', '*', '{', '}', 'uid', UID_PLACE, '$&', '$1', '\\', '.'];
const text = (max: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: max }).map((pieces) => pieces.join(''));

/** Uids that look like patterns, replacements and regular expressions. */
const uid = fc.oneof(text(3), fc.constantFrom('*', UID_PLACE, '$&', '.*', '__proto__', 'constructor'));
const pattern = fc.oneof(
  text(4),
  text(3).map((start) => `${start}*`),
  fc.constant('*'),
);
const operations = fc.subarray([...OPERATIONS, '*' as const]);
const can = fc
  .array(fc.tuple(pattern, operations), { maxLength: 6 })
  .map((entries) => Object.fromEntries(entries));

/** Groups that a pattern is likely to match or to miss by a little. */
function groupOf(pick: number, ofCan: Can, ofUid: string, more: string): string {
  const patterns = Object.keys(ofCan);
  const chosen = patterns[pick % Math.max(1, patterns.length)] ?? 'a';
  const group = chosen.split(UID_PLACE).join(pick % 3 === 0 ? UID_PLACE : ofUid);
  return pick % 2 === 0 ? group : `${group.replace(/\*$/, '')}${more}`;
}

test('grants are the union of their patterns, as a naive model says', () => {
  let allowed = 0;
  fc.assert(
    fc.property(can, uid, fc.nat(), text(2), (ofCan, ofUid, pick, more) => {
      const grants = new Grants(ofCan, ofUid);
      const group = groupOf(pick, ofCan, ofUid, more);
      for (const operation of OPERATIONS) {
        const expected = allows(ofCan, ofUid, operation, group);
        if (expected) allowed += 1;
        expect(grants.allows(operation, group)).toBe(expected);
      }
    }),
    { numRuns: 5_000 },
  );
  expect(allowed).toBeGreaterThan(1_000);
});

test('a further pattern takes nothing away', () => {
  fc.assert(
    fc.property(can, can, uid, fc.nat(), text(2), (one, other, ofUid, pick, more) => {
      const group = groupOf(pick, one, ofUid, more);
      const both: Can = Object.fromEntries([
        ...Object.entries(other),
        ...Object.entries(one).map(([key, own]) => [key, [...own, ...(other[key] ?? [])]] as const),
      ]);
      for (const operation of OPERATIONS) {
        if (new Grants(one, ofUid).allows(operation, group))
          expect(new Grants(both, ofUid).allows(operation, group)).toBe(true);
      }
    }),
  );
});

test.each([
  ['*', 'own:bob'],
  ['{uid}', 'own:bob'],
  ['', 'own:bob'],
  ['.*', 'own:bob'],
  ['$&', 'own:{uid}'],
  ["$'", 'own:'],
])('the uid %s in a pattern is only itself: not %s', (ofUid, group) => {
  const grants = new Grants({ 'own:{uid}': ['*'] }, ofUid);
  expect(grants.allows('join', group)).toBe(false);
  expect(grants.allows('join', `own:${ofUid}`)).toBe(true);
});
