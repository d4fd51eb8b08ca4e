import { channelOfGroup, type Position, type ProtocolError, utf8ByteLength } from '@groupcast/protocol';
import { type ClientCommand, CommandError, type CommandId } from '@groupcast/protocol/schema';
import type { NamespaceRules } from '../auth/namespace-rules.ts';
import { metaOf } from '../auth/uid-meta.ts';
import { ackEvent, notStoredEvent } from '../client-protocols/client-events.ts';
import { frameBytesMax } from '../client-protocols/frame-bytes-max.ts';
import type { PublishAnswer, PublishOptions } from '../groups/hub-port.ts';
import type { Member } from '../groups/member.ts';
import { rejectCommand } from '../groups/reject-command.ts';
import type { CommandDeps } from './command-deps.ts';

type SendToGroup = Extract<ClientCommand, { cmd: 'send_to_group' }>;

/** Sentences about the limits of a group. */
const GROUP_LIMITS_REACHED = {
  bytes: "The group's byte rate limit, shared by all senders, is reached. Send more slowly.",
  messages: "The group's message rate limit, shared by all senders, is reached. Send more slowly.",
} as const;

/**
 * Publishes a message to a group. The client need not be in it. Members of this worker get the
 * message from the hub, as all others do.
 */
export function publishToGroup(command: SendToGroup, bytes: number, client: Member, deps: CommandDeps): void {
  const { id, group_id: groupName, message } = command;
  deps.permissions.check(client, 'publish', groupName, id);
  const rules = deps.namespaces.rules.find(groupName);
  if (rules !== undefined) checkLength(command, bytes, rules);
  const meta = client.identity === undefined ? undefined : metaOf(client.identity);
  const verdict = deps.groups.charge(groupName, frameBytesMax(message, bytes, meta?.bytes));
  if (verdict !== 'ok') {
    // Not thrown, so that it is no strike: other clients may have used up the limit.
    rejectCommand(deps.counters, client, id, 'rate_limited', GROUP_LIMITS_REACHED[verdict]);
    return;
  }
  const ephemeral = command.store === false || rules?.isEphemeral === true;
  const answer = id === undefined ? undefined : new Answer(client, groupName, id, !ephemeral, deps);
  deps.counters.published += 1;
  deps.hub.publishWithAnswer(
    channelOfGroup(groupName),
    message,
    optionsOf(command, client, ephemeral, meta?.text),
    answer,
  );
}

/** Throws CommandError for a message that is longer than its namespace allows. */
function checkLength({ id, message }: SendToGroup, bytes: number, { messageBytesMax }: NamespaceRules): void {
  // The whole command is at least as long.
  if (bytes <= messageBytesMax) return;
  const length = utf8ByteLength(message);
  if (length <= messageBytesMax) return;
  const sentence = `message has ${length} bytes; the limit of this group is ${messageBytesMax}. Send a shorter one.`;
  throw new CommandError('bad_field', sentence, id);
}

function optionsOf(
  command: SendToGroup,
  { id: sender }: Member,
  ephemeral: boolean,
  meta: string | undefined,
): PublishOptions {
  const excludeSender = command.exclude_self === true;
  const { message_id: messageId } = command;
  if (ephemeral) return { sender, excludeSender, meta, ephemeral };
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

  constructor(client: Member, groupName: string, id: CommandId, isStored: boolean, deps: CommandDeps) {
    this.#client = client;
    this.#id = id;
    this.#groupName = groupName;
    this.#isStored = isStored;
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
