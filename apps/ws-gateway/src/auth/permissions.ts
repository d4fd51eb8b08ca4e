import { ERROR_CODES, isSystemGroup } from '@groupcast/protocol';
import { CommandError, type CommandId, type Operation } from '@groupcast/protocol/schema';
import type { Identity } from './identity.ts';

/** A client as permissions see it. */
export interface Asker {
  readonly identity: Identity | undefined;
  /** Channels of its groups. */
  readonly memberships: readonly string[];
}

export interface PermissionsOptions {
  /** With `none` clients have no identity, and may use every group but those of the system. */
  readonly auth: 'none' | 'token';
  /** Returns whether a user is banned from a group. Default: no user is. */
  readonly isBanned?: (uid: string, groupName: string) => boolean;
  /**
   * Returns whether the namespace of a group allows a client what its token does not grant.
   * Default: no namespace does.
   */
  readonly namespaceAllows?: (client: Asker, operation: Operation, groupName: string) => boolean;
}

/** Negative answer for a client. */
export interface Refusal {
  readonly operation: Operation;
  readonly sentence: string;
}

/**
 * Decides what clients may do to groups. Nothing joins, publishes or reads for a client but through
 * it. An answer holds only for the moment: what waits asks again.
 *
 * The program around the gateway joins groups for clients without it: that is its own decision.
 */
export class Permissions {
  /** Whether answers never change, so that there is no need to ask again. */
  readonly areFixed: boolean;
  readonly #isBanned: PermissionsOptions['isBanned'];
  readonly #namespaceAllows: PermissionsOptions['namespaceAllows'];

  constructor({ auth, isBanned, namespaceAllows }: PermissionsOptions) {
    this.areFixed = auth === 'none';
    this.#isBanned = isBanned;
    this.#namespaceAllows = namespaceAllows;
  }

  /** Returns whether a client may do this to a group now. */
  may(client: Asker, operation: Operation, groupName: string): boolean {
    return this.refusal(client, operation, groupName) === undefined;
  }

  /** Throws CommandError `forbidden` if a client may not do this to a group now. */
  check(client: Asker, operation: Operation, groupName: string, id: CommandId | undefined): void {
    throwIf(this.refusal(client, operation, groupName), id);
  }

  /** Throws CommandError `forbidden` if a client may not join, or not with earlier messages. */
  checkJoin(client: Asker, groupName: string, withHistory: boolean, id: CommandId | undefined): void {
    throwIf(this.joinRefusal(client, groupName, withHistory), id);
  }

  /** Returns why a client may not do this to a group now. Undefined: it may. */
  refusal(client: Asker, operation: Operation, groupName: string): Refusal | undefined {
    // In the order of the protocol page: the first rule that applies decides.
    if (isSystemGroup(groupName)) return { operation, sentence: ERROR_CODES.forbidden.sentence };
    if (this.areFixed) return undefined;
    const { identity } = client;
    if (identity !== undefined) {
      if (this.#isBanned?.(identity.uid, groupName)) return banned(operation, groupName);
      if (identity.grants.allows(operation, groupName)) return undefined;
    }
    return this.#namespaceAllows?.(client, operation, groupName)
      ? undefined
      : notGranted(operation, groupName);
  }

  /** Returns why a client may not join a group now, or not with earlier messages. */
  joinRefusal(client: Asker, groupName: string, withHistory: boolean): Refusal | undefined {
    const refusal = this.refusal(client, 'join', groupName);
    return refusal === undefined && withHistory ? this.refusal(client, 'history', groupName) : refusal;
  }
}

function banned(operation: Operation, groupName: string): Refusal {
  const group = JSON.stringify(groupName);
  return { operation, sentence: `You are banned from group ${group}. Try ${operation} again after the ban.` };
}

function notGranted(operation: Operation, groupName: string): Refusal {
  const group = JSON.stringify(groupName);
  return {
    operation,
    sentence: `Operation ${operation} is not allowed in group ${group}. Use a token that grants it.`,
  };
}

function throwIf(refusal: Refusal | undefined, id: CommandId | undefined): void {
  if (refusal === undefined) return;
  const { operation, sentence } = refusal;
  throw new CommandError('forbidden', sentence, id, { operation });
}
