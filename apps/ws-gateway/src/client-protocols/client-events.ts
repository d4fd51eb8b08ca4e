import {
  CLOSE_CODES,
  type CloseReason,
  ERROR_CODES,
  type ErrorCode,
  type Position,
} from '@groupcast/protocol';
import type { ClientEvent, CommandId, GapReason } from '@groupcast/protocol/schema';
import type { GatewayOptions } from '../options.ts';

export type AckEvent = Extract<ClientEvent, { type: 'ack' }>;

/** What a v1 client is told first. */
export function welcomeEvent(clientId: string, session: string, options: GatewayOptions): ClientEvent {
  return {
    type: 'welcome',
    client_id: clientId,
    session,
    heartbeat: { interval_ms: options.heartbeatMs, timeout_ms: options.heartbeatTimeoutMs },
    limits: {
      message_bytes: options.messageBytesMax,
      groups: options.groupsPerConnectionMax,
      messages_per_second: options.messagesPerSecond,
      messages_burst: options.messagesBurst,
      bytes_per_second: Math.floor(options.messageBytesPerSecond),
      bytes_burst: options.messageBytesPerSecond === 0 ? 0 : options.messageBytesBurst,
    },
  };
}

/** A command was done. `position` is where the group stands, for commands that have to do with it. */
export function ackEvent(id: CommandId, groupName?: string, position?: Position): AckEvent {
  if (groupName === undefined) return { type: 'ack', id };
  if (position === undefined) return { type: 'ack', id, group_id: groupName };
  return { type: 'ack', id, group_id: groupName, epoch: position.epoch, offset: position.offset };
}

/** A group is not to be had, and a client that no command of asks for an answer is not in it, or not any more. */
export function groupErrorEvent(code: ErrorCode, groupName: string): ClientEvent {
  return { type: 'error', group_id: groupName, code, message: ERROR_CODES[code].sentence };
}

/** A command was not done. */
export function errorEvent(
  code: ErrorCode,
  id: CommandId | undefined,
  sentence: string = ERROR_CODES[code].sentence,
): ClientEvent {
  return id === undefined
    ? { type: 'error', code, message: sentence }
    : { type: 'error', id, code, message: sentence };
}

/** The ack of a join with a position: what the client missed follows, or it is not given it, for a reason. */
export function recoveryAckEvent(ack: AckEvent, reason: GapReason | undefined): AckEvent {
  return reason === undefined ? { ...ack, recovered: true } : { ...ack, recovered: false, reason };
}

/** Messages of the group up to `position` are lost to its members, and why. */
export function gapEvent(groupName: string, reason: GapReason, position: Position): ClientEvent {
  return { type: 'gap', group_id: groupName, reason, epoch: position.epoch, offset: position.offset };
}

/** The close frame that follows, in words. */
export function disconnectEvent(reason: CloseReason, reconnectAfterMs: number | undefined): ClientEvent {
  const event = { type: 'disconnect' as const, ...CLOSE_CODES[reason] };
  return reconnectAfterMs === undefined ? event : { ...event, reconnect_after_ms: reconnectAfterMs };
}
