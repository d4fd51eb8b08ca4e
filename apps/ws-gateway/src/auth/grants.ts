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

interface PrefixGrant {
  readonly prefix: string;
  readonly bits: number;
}

/** Permissions of a token: the union of its patterns. A pattern never takes anything away. */
export class Grants {
  readonly #groups = new Map<string, number>();
  readonly #prefixes: PrefixGrant[] = [];

  /**
   * A pattern is the name of a group, or a prefix with `*` at its end. `{uid}` in it stands for the
   * characters of `uid`, which are no pattern themselves.
   */
  constructor(can: Can, uid: string) {
    for (const [pattern, operations] of Object.entries(can)) {
      const isPrefix = pattern.endsWith('*');
      const text = (isPrefix ? pattern.slice(0, -1) : pattern).replaceAll(UID_PLACE, () => uid);
      const bits = operations.reduce((sum, operation) => sum | BITS[operation], 0);
      if (isPrefix) this.#prefixes.push({ prefix: text, bits });
      else this.#groups.set(text, (this.#groups.get(text) ?? 0) | bits);
    }
  }

  allows(operation: Operation, groupName: string): boolean {
    const bit = BITS[operation];
    if (((this.#groups.get(groupName) ?? 0) & bit) !== 0) return true;
    return this.#prefixes.some(({ prefix, bits }) => (bits & bit) !== 0 && groupName.startsWith(prefix));
  }
}
