import { channelOfGroup, type Position, type ProtocolError } from '@groupcast/protocol';
import type { ClientCommand, CommandId } from '@groupcast/protocol/schema';
import type { Counters } from '../gateway-stats.ts';
import type { HistoryAnswer, HistoryPage } from '../hub-port.ts';
import type { Member } from '../member.ts';
import { ackEvent, errorEvent } from '../outgoing.ts';
import type { CommandContext } from './command-context.ts';

type GroupInfo = Extract<ClientCommand, { cmd: 'group_info' }>;

/** Of no history: the hub answers where the channel stands, and with nothing else. */
const NOWHERE: Position = { epoch: '-', offset: 0 };

/** Tells where a group stands, whether or not the client is in it. */
export function groupInfo(command: GroupInfo, client: Member, context: CommandContext): void {
  const { id, group_id: name } = command;
  if (id === undefined) return;
  const { groups, hub, counters, options } = context;
  const position = groups.positionOf(name);
  if (position !== undefined) {
    client.tell(ackEvent(id, name, position));
  } else if (client.waitingAnswers >= options.groupsPerConnectionMax) {
    counters.refused.hub_unavailable += 1;
    client.tell(errorEvent('hub_unavailable', id));
  } else {
    client.waitingAnswers += 1;
    hub.history(channelOfGroup(name), NOWHERE, new Answer(client, id, name, counters));
  }
}

/** Carries the hub's answer to the client that asked for it. */
class Answer implements HistoryAnswer {
  readonly #client: Member;
  readonly #id: CommandId;
  readonly #groupName: string;
  readonly #counters: Counters;

  constructor(client: Member, id: CommandId, groupName: string, counters: Counters) {
    this.#client = client;
    this.#id = id;
    this.#groupName = groupName;
    this.#counters = counters;
  }

  page({ position }: HistoryPage): void {
    this.#client.waitingAnswers -= 1;
    this.#client.tell(ackEvent(this.#id, this.#groupName, position));
  }

  failed(error: ProtocolError): void {
    this.#client.waitingAnswers -= 1;
    this.#counters.refused[error.code] += 1;
    this.#client.tell(errorEvent(error.code, this.#id, error.message));
  }
}
