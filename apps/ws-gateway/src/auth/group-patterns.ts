import type { Operation } from '@groupcast/protocol/schema';

/** Patterns of groups with the operations that a token allows on them; `*` is every operation. */
export type Can = Readonly<Record<string, readonly (Operation | '*')[]>>;

/** Place of the user's id in a pattern. */
const UID_PLACE = '{uid}';

const BITS: Readonly<Record<Operation | '*', number>> = {
  join: 1,
  history: 2,
  publish: 4,
  presence: 8,
  info: 16,
  manage: 32,
  '*': 63,
};

/** Pattern that a group name must begin with, or be equal to, after the uid is filled in. */
interface Pattern {
  /** The text before, between and after the places of the uid. */
  readonly parts: readonly string[];
  readonly isPrefix: boolean;
  readonly bits: number;
}

/** Compiled patterns of one `can`, without a uid: all users with the same ones share them. */
export class GroupPatterns {
  readonly #groups = new Map<string, number>();
  readonly #others: Pattern[] = [];

  constructor(can: Can) {
    for (const [pattern, operations] of Object.entries(can)) {
      const isPrefix = pattern.endsWith('*');
      const parts = (isPrefix ? pattern.slice(0, -1) : pattern).split(UID_PLACE);
      const bits = operations.reduce((sum, operation) => sum | BITS[operation], 0);
      if (isPrefix || parts.length > 1) this.#others.push({ parts, isPrefix, bits });
      else this.#groups.set(pattern, bits);
    }
  }

  allow(operation: Operation, groupName: string, uid: string): boolean {
    const bit = BITS[operation];
    if (((this.#groups.get(groupName) ?? 0) & bit) !== 0) return true;
    return this.#others.some((pattern) => (pattern.bits & bit) !== 0 && matches(pattern, groupName, uid));
  }
}

function matches({ parts, isPrefix }: Pattern, groupName: string, uid: string): boolean {
  const [start = ''] = parts;
  if (!groupName.startsWith(start)) return false;
  const text = parts.length === 1 ? start : parts.join(uid);
  return isPrefix ? groupName.startsWith(text) : groupName === text;
}
