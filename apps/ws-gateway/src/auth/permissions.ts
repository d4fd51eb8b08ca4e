import { isSystemGroup } from '@groupcast/protocol';
import type { Operation } from '@groupcast/protocol/schema';
import type { Member } from '../groups/member.ts';

export interface PermissionsOptions {
  readonly auth: 'none' | 'token';
}

/** Decides what clients may do. Nothing joins, publishes or reads but through `may`. */
export class Permissions {
  readonly #options: PermissionsOptions;

  constructor(options: PermissionsOptions) {
    this.#options = options;
  }

  /** Returns whether a client may do this to a group now. The answer may change at any time. */
  may(client: Pick<Member, 'identity'>, operation: Operation, groupName: string): boolean {
    if (isSystemGroup(groupName)) return false;
    if (this.#options.auth === 'none') return true;
    return client.identity?.grants.allows(operation, groupName) ?? false;
  }
}
