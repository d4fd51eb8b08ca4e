import { channelOfGroup, type Position, type ProtocolError } from '@groupcast/protocol';
import type { ClientCommand, CommandId } from '@groupcast/protocol/schema';
import { metaOf } from '../auth/uid-meta.ts';
import { ackEvent, notStoredEvent } from '../client-protocols/client-events.ts';
import { frameBytesMax } from '../client-protocols/frame-bytes-max.ts';
import type { PublishAnswer, PublishOptions } from '../groups/hub-port.ts';
import type { Member } from '../groups/member.ts';
import { rejectCommand } from '../groups/reject-command.ts';
import type { CommandDeps } from './command-deps.ts';

type SendToGroup = Extract<ClientCommand, { cmd: 'send_to_group' }>;

const GROUP_LIMIT_REACHED =
  "The group's byte rate limit, shared by all senders, is reached. Send more slowly.";

/**
 * Publishes a message to a group. The client need not be in it. Members of this worker get the
 * message from the hub, as all others do.
 */
export function publishToGroup(command: SendToGroup, bytes: number, client: Member, deps: CommandDeps): void {
  const { id, group_id: groupName, message } = command;
  deps.permissions.check(client, 'publish', groupName, id);
  const meta = client.identity === undefined ? undefined : metaOf(client.identity);
  if (deps.groups.charge(groupName, frameBytesMax(message, bytes, meta?.bytes)) !== 'ok') {
    // Not thrown, so that it is no strike: other clients may have used up the limit.
    rejectCommand(deps.counters, client, id, 'rate_limited', GROUP_LIMIT_REACHED);
    return;
  }
  const answer = id === undefined ? undefined : new Answer(client, command, id, deps);
  deps.counters.published += 1;
  deps.hub.publishWithAnswer(
    channelOfGroup(groupName),
    message,
    optionsOf(command, client, meta?.text),
    answer,
  );
}

function optionsOf(command: SendToGroup, { id: sender }: Member, meta: string | undefined): PublishOptions {
  const excludeSender = command.exclude_self === true;
  const { message_id: messageId } = command;
  if (command.store === false) return { sender, excludeSender, meta, ephemeral: true };
  return messageId === undefined
    ? { sender, excludeSender, meta }
    : { sender, excludeSender, meta, messageId };
}

/** Receives the hub's answer to a publish, and replies to the command. */
class Answer implements PublishAnswer {
  readonly #client: Member;
  readonly #id: CommandId;
  readonly #groupName: string;
  readonly #isStored: boolean;
  readonly #deps: CommandDeps;
  readonly #startMs: number;

  constructor(client: Member, command: SendToGroup, id: CommandId, deps: CommandDeps) {
    this.#client = client;
    this.#id = id;
    this.#groupName = command.group_id;
    this.#isStored = command.store !== false;
    this.#deps = deps;
    this.#startMs = deps.counters.publishDurations.start();
  }

  accepted(position: Position): void {
    this.#deps.counters.publishDurations.end(this.#startMs);
    // The ack must follow the messages that precede this one in the group.
    this.#deps.groups.deliverPending(this.#groupName);
    this.#client.sendEvent(
      this.#isStored
        ? ackEvent(this.#id, this.#groupName, position)
        : notStoredEvent(this.#id, this.#groupName),
    );
  }

  failed(error: ProtocolError): void {
    rejectCommand(this.#deps.counters, this.#client, this.#id, error.code, error.message);
  }
}
