import { channelOfGroup } from '@groupcast/protocol';
import { type Namespace, NamespaceTable, OPERATIONS, type Operation } from '@groupcast/protocol/schema';
import type { Asker } from './permissions.ts';

/** Rules of one namespace, as a worker uses them. */
export interface NamespaceRules {
  readonly prefix: string;
  /** Operations of clients in the group. */
  readonly members: ReadonlySet<Operation>;
  /** Operations of clients with a token. */
  readonly users: ReadonlySet<Operation>;
  /** Operations of clients without a token. */
  readonly anonymous: ReadonlySet<Operation>;
  /** Bytes of a message. */
  readonly messageBytesMax: number;
  /** Messages per second of one group; undefined without a limit. */
  readonly publishPerSecond: number | undefined;
  readonly isEphemeral: boolean;
}

/** The rules of all namespaces. They never change: a list of others replaces them. */
export class AllNamespaceRules {
  /** Number of namespaces with a rate. */
  readonly rates: number;
  readonly #table: NamespaceTable<NamespaceRules>;

  constructor(namespaces: readonly Namespace[]) {
    const all = namespaces.map(rulesOf);
    this.rates = all.filter(({ publishPerSecond }) => publishPerSecond !== undefined).length;
    this.#table = new NamespaceTable(all);
  }

  /** Returns the rules of a group. */
  find(groupName: string): NamespaceRules | undefined {
    return this.#table.find(groupName);
  }

  /** Returns whether the namespace of a group allows a client an operation. */
  allows({ identity, memberships }: Asker, operation: Operation, groupName: string): boolean {
    const rules = this.find(groupName);
    if (rules === undefined) return false;
    if ((identity === undefined ? rules.anonymous : rules.users).has(operation)) return true;
    return rules.members.has(operation) && memberships.includes(channelOfGroup(groupName));
  }
}

export const NO_NAMESPACES: AllNamespaceRules = new AllNamespaceRules([]);

function rulesOf({ prefix, allow = {}, ...rest }: Namespace): NamespaceRules {
  return {
    prefix,
    // Without the operation that a list never has, also not by `*`.
    members: operationsOf(allow.members, 'join'),
    users: operationsOf(allow.users, undefined),
    anonymous: operationsOf(allow.anonymous, 'manage'),
    messageBytesMax: rest.message_bytes_max ?? Number.POSITIVE_INFINITY,
    publishPerSecond: rest.publish_per_second,
    isEphemeral: rest.ephemeral === true,
  };
}

function operationsOf(
  names: readonly (Operation | '*')[] = [],
  never: Operation | undefined,
): ReadonlySet<Operation> {
  const isAll = names.includes('*');
  return new Set(OPERATIONS.filter((one) => one !== never && (isAll || names.includes(one))));
}
