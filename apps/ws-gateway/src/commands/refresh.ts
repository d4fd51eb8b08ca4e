import { CommandError, type CommandId } from '@groupcast/protocol/schema';
import type { Identity } from '../auth/identity.ts';
import type { TokenCheck, TokenChecks, TokenReceiver } from '../auth/token-checks.ts';
import type { TokenError } from '../auth/token-error.ts';
import { ackEvent, tokenLifeOf } from '../client-protocols/client-events.ts';
import type { Groups } from '../groups/groups.ts';
import type { Member } from '../groups/member.ts';
import { NO_TOKENS } from './auth.ts';

const ANONYMOUS = 'This connection has no token to replace. Connect again with one.';
const UNDER_WAY = 'A refresh of this connection is under way. Wait for its reply.';
const OTHER_USER = 'The token is one of another user. Connect again with it.';

export interface RefreshesDeps {
  readonly tokenChecks: TokenChecks;
  readonly groups: Groups;
}

/** Checks new tokens of open connections. Each has at most one. */
export class Refreshes {
  readonly #deps: RefreshesDeps;
  readonly #pending = new Map<Member, Refresh>();

  constructor(deps: RefreshesDeps) {
    this.#deps = deps;
  }

  /** Number of refreshes without a reply. */
  get size(): number {
    return this.#pending.size;
  }

  /** Checks a token. The client gets the reply later. */
  add(client: Member, token: string, id: CommandId | undefined): void {
    if (this.#pending.has(client)) throw new CommandError('rate_limited', UNDER_WAY, id);
    const { groups, tokenChecks } = this.#deps;
    const refresh = new Refresh(client, id, groups, () => this.#pending.delete(client));
    this.#pending.set(client, refresh);
    refresh.check = tokenChecks.check(token, refresh);
  }

  /** Forgets a client that has gone. */
  forget(client: Member): void {
    this.#pending.get(client)?.check?.cancel();
    this.#pending.delete(client);
  }
}

/** Replaces the token of a connection, which stays open in any case. */
export function refresh(
  token: string,
  id: CommandId | undefined,
  client: Member,
  refreshes: Refreshes | undefined,
): void {
  if (refreshes === undefined) throw new CommandError('unauthorized', NO_TOKENS, id);
  if (client.identity === undefined) throw new CommandError('unauthorized', ANONYMOUS, id);
  refreshes.add(client, token, id);
}

class Refresh implements TokenReceiver {
  check: TokenCheck | undefined;
  readonly #client: Member;
  readonly #id: CommandId | undefined;
  readonly #groups: Groups;
  readonly #over: () => void;

  constructor(client: Member, id: CommandId | undefined, groups: Groups, over: () => void) {
    this.#client = client;
    this.#id = id;
    this.#groups = groups;
    this.#over = over;
  }

  tokenAccepted(identity: Identity): void {
    this.#over();
    const client = this.#client;
    if (identity.uid !== client.identity?.uid) {
      client.reject(new CommandError('forbidden', OTHER_USER, this.#id));
      return;
    }
    client.renew(identity);
    this.#groups.removeForbidden(client);
    if (this.#id !== undefined) client.sendEvent({ ...ackEvent(this.#id), ...tokenLifeOf(identity) });
  }

  tokenRejected({ code, message }: TokenError): void {
    this.#over();
    // Without the keys the token may be valid: the client tries again later.
    const error = code === 'unavailable' ? 'internal_error' : 'unauthorized';
    this.#client.reject(new CommandError(error, message, this.#id));
  }
}
