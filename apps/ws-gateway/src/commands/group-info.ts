import { channelOfGroup, type Position, type ProtocolError } from '@groupcast/protocol';
import type { ClientCommand, CommandId } from '@groupcast/protocol/schema';
import type { Counters } from '../gateway-stats.ts';
import type { HistoryAnswer, HistoryPage, HistoryRead, HubPort } from '../hub-port.ts';
import type { Member } from '../member.ts';
import { MemberWait, waitCount } from '../member-wait.ts';
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
  } else if (waitCount(client) >= options.groupsPerConnectionMax) {
    counters.refused.hub_unavailable += 1;
    client.tell(errorEvent('hub_unavailable', id));
  } else {
    new Question(client, id, name, counters).ask(hub);
  }
}

/** Asks the hub for a client, and carries the answer to it. */
class Question extends MemberWait implements HistoryAnswer {
  readonly #id: CommandId;
  readonly #groupName: string;
  readonly #counters: Counters;
  #read: HistoryRead | undefined;

  constructor(client: Member, id: CommandId, groupName: string, counters: Counters) {
    super(client);
    this.#id = id;
    this.#groupName = groupName;
    this.#counters = counters;
  }

  ask(hub: HubPort): void {
    try {
      this.#read = hub.history(channelOfGroup(this.#groupName), NOWHERE, this, this.member);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  page({ position }: HistoryPage): void {
    if (this.end()) this.member.tell(ackEvent(this.#id, this.#groupName, position));
  }

  failed(error: ProtocolError): void {
    if (!this.end()) return;
    this.#counters.refused[error.code] += 1;
    this.member.tell(errorEvent(error.code, this.#id, error.message));
  }

  override cancel(): void {
    if (this.end()) this.#read?.cancel();
  }
}
