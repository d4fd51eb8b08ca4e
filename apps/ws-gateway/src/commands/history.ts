import type { native } from '@groupcast/protocol';
import type { ClientCommand, CommandId } from '@groupcast/protocol/schema';
import { historyAckEvent } from '../client-protocols/client-events.ts';
import type { HistoryFrom, HistoryPage } from '../groups/hub-port.ts';
import type { Member } from '../groups/member.ts';
import type { PageCommand } from '../groups/page-requests.ts';
import { payloadFault } from '../groups/payload-fault.ts';
import { rejectCommand } from '../groups/reject-command.ts';
import type { CommandDeps } from './command-deps.ts';

type History = Extract<ClientCommand, { cmd: 'history' }>;

/** Messages of a reply where the command has no limit. */
const LIMIT_DEFAULT = 100;

const RECOVERY_LIMIT_REACHED = 'Recovery rate limit reached for this connection. Ask again later.';

/**
 * Replies with earlier messages of a group. The client need not be in it. One read of the hub, a
 * page, is one reply: the client asks again for what follows.
 */
export function history(command: History, client: Member, deps: CommandDeps): void {
  const { id, since, last } = command;
  const from = since ?? (last === undefined ? undefined : { last });
  // The parser rejects a history without them.
  if (id === undefined || from === undefined) return;
  deps.permissions.check(client, 'history', command.group_id, id);
  if (!deps.recoveryBudget.pay(client)) {
    // Not thrown, so that it is no strike: recoveries of the client may have used up the budget.
    rejectCommand(deps.counters, client, id, 'rate_limited', RECOVERY_LIMIT_REACHED);
    return;
  }
  deps.pageRequests.add(client, new HistoryReply(client, command, id, from, deps));
}

class HistoryReply implements PageCommand {
  readonly operation = 'history';
  readonly id: CommandId;
  readonly groupName: string;
  readonly from: HistoryFrom;
  readonly #client: Member;
  readonly #limit: number;
  readonly #deps: CommandDeps;

  constructor(client: Member, command: History, id: CommandId, from: HistoryFrom, deps: CommandDeps) {
    this.id = id;
    this.groupName = command.group_id;
    this.from = from;
    this.#client = client;
    this.#limit = command.limit ?? LIMIT_DEFAULT;
    this.#deps = deps;
  }

  reply({ verdict, position, publications }: HistoryPage): void {
    const { recoveryBudget, groups } = this.#deps;
    const client = this.#client;
    recoveryBudget.settle(client, publications, true);
    // Messages up to the position come before the reply.
    groups.deliverPending(this.groupName);
    const read = publications.slice(0, this.#limit);
    const readOffset = read.at(-1)?.number ?? position.offset;
    const ack = historyAckEvent(this.id, this.groupName, position, verdict, readOffset);
    const kept = read.filter((publication) => isFor(client, publication));
    const frames = client.protocol.encodeHistory(ack, kept);
    recoveryBudget.sent(client, read, frames.length);
    client.deliver(frames);
  }

  failed(): void {
    this.#deps.recoveryBudget.refund(this.#client);
  }
}

/** Returns whether a recovery would deliver a publication to a client. */
function isFor(client: Member, publication: native.Publication): boolean {
  const isExcluded = publication.excludeSender && publication.sender === client.id;
  return !isExcluded && payloadFault(publication) === undefined;
}
