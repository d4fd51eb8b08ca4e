import type { Operation } from '@groupcast/protocol/schema';
import { type Can, GroupPatterns } from './group-patterns.ts';

export type { Can } from './group-patterns.ts';

/** Permissions of a token: the union of its patterns. A pattern never takes anything away. */
export class Grants {
  readonly #patterns: GroupPatterns;
  readonly #uid: string;

  /**
   * A pattern is the name of a group, or a prefix with `*` at its end. `{uid}` in it stands for the
   * characters of `uid`, which are no pattern themselves.
   */
  constructor(can: Can | GroupPatterns, uid: string) {
    this.#patterns = can instanceof GroupPatterns ? can : new GroupPatterns(can);
    this.#uid = uid;
  }

  allows(operation: Operation, groupName: string): boolean {
    return this.#patterns.allow(operation, groupName, this.#uid);
  }
}
