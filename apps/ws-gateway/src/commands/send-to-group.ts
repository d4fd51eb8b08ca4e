import { channelOfGroup, type Position, type ProtocolError } from '@groupcast/protocol';
import type { ClientCommand, CommandId } from '@groupcast/protocol/schema';
import { ackEvent, errorEvent } from '../client-protocols/client-events.ts';
import { frameBytesMax } from '../client-protocols/frame-bytes-max.ts';
import type { PublishAnswer, PublishOptions } from '../groups/hub-port.ts';
import type { Member } from '../groups/member.ts';
import type { CommandDeps } from './command-context.ts';

type SendToGroup = Extract<ClientCommand, { cmd: 'send_to_group' }>;

const GROUP_LIMIT_REACHED =
  "The group's byte rate limit, shared by all senders, is reached. Send more slowly.";

/** Publishes a message to a group, in which the client need not be. Members here get it when the hub sends it back. */
export function sendToGroup(command: SendToGroup, bytes: number, client: Member, context: CommandDeps): void {
  const { id, group_id: groupName } = command;
  if (context.groups.charge(groupName, frameBytesMax(command.message, bytes)) !== 'ok') {
    // No strike: others may have filled it.
    context.counters.refused.rate_limited += 1;
    client.sendEvent(errorEvent('rate_limited', id, GROUP_LIMIT_REACHED));
    return;
  }
  const answer = id === undefined ? undefined : new Answer(client, id, groupName, context);
  context.counters.published += 1;
  context.hub.publishWithAnswer(
    channelOfGroup(groupName),
    command.message,
    optionsOf(command, client),
    answer,
  );
}

function optionsOf(command: SendToGroup, client: Member): PublishOptions {
  const excludeSender = command.exclude_self === true;
  const { message_id: messageId } = command;
  return messageId === undefined
    ? { sender: client.id, excludeSender }
    : { sender: client.id, excludeSender, messageId };
}

/** Carries the hub's answer to the client that asked for it. */
class Answer implements PublishAnswer {
  readonly #client: Member;
  readonly #id: CommandId;
  readonly #groupName: string;
  readonly #context: CommandDeps;

  constructor(client: Member, id: CommandId, groupName: string, context: CommandDeps) {
    this.#client = client;
    this.#id = id;
    this.#groupName = groupName;
    this.#context = context;
  }

  accepted(position: Position): void {
    // It must not overtake what came to the group before this message.
    this.#context.groups.deliverPending(this.#groupName);
    this.#client.sendEvent(ackEvent(this.#id, this.#groupName, position));
  }

  failed(error: ProtocolError): void {
    this.#context.counters.refused[error.code] += 1;
    this.#client.sendEvent(errorEvent(error.code, this.#id, error.message));
  }
}
