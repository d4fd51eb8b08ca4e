import type { AckEvent, ClientCommandBody, HistoryVerdict, Position } from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import type { CallOptions } from '../groups/call.ts';
import { type Message, messageOf } from '../groups/group-events.ts';
import { checkedRange, type MessageRange } from '../groups/message-range.ts';
import { HISTORY_MESSAGES_MAX } from '../limits.ts';
import { badOption, checkWhole } from '../options.ts';

/** Either `since` or `last` is needed. */
export interface HistoryOptions extends CallOptions, MessageRange {
  /** Maximum messages of the result, 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
}

/** Earlier messages of a group. */
export interface History {
  /** In the order of their offsets. Own messages with `excludeSelf` are not among them. */
  readonly messages: readonly Message[];
  /** `recovered`, or the reason why there are no messages. */
  readonly verdict: HistoryVerdict;
  /** Everything up to it was read. To continue, read or join with `since` this position. */
  readonly position: Position;
  /** True when the group has messages after `position`. */
  readonly hasMore: boolean;
}

export type HistoryCommand = Extract<ClientCommandBody, { cmd: 'history' }>;

/** Returns the command that reads earlier messages. Throws a GroupcastError `bad_option`. */
export function historyCommand(groupId: string, options: HistoryOptions): HistoryCommand {
  const { limit } = options;
  const { since, last } = checkedRange(options);
  checkWhole('limit', limit, HISTORY_MESSAGES_MAX);
  if (!since && !last) throw badOption('Use since or last.');
  return { cmd: 'history', group_id: groupId, since, last, limit };
}

/** Returns the result of a read, or `undefined` when the ack is invalid. */
export function historyOf(groupId: string, ack: AckEvent): History | undefined {
  const { messages = [], verdict, read_offset: offset } = ack;
  const top = positionOf(ack);
  if (!top || !verdict) return undefined;
  const position = positionOf({ ...top, offset }) ?? top;
  return {
    messages: messages.map((message) => messageOf(groupId, top.epoch, message)),
    verdict,
    position,
    hasMore: position.offset < top.offset,
  };
}
