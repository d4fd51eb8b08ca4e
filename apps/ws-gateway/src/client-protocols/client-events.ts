import {
  CLOSE_CODES,
  type CloseReason,
  ERROR_CODES,
  type ErrorCode,
  limits,
  type Position,
} from '@groupcast/protocol';
import type {
  ClientEvent,
  CommandId,
  GapReason,
  HistoryVerdict,
  Operation,
} from '@groupcast/protocol/schema';
import type { Identity } from '../auth/identity.ts';
import type { Refusal } from '../auth/permissions.ts';
import { limitsOf } from '../connection/client-limits.ts';
import type { GatewayOptions } from '../options.ts';

export type AckEvent = Extract<ClientEvent, { type: 'ack' }>;

/** Fields of a welcome about groups of the server. */
type WelcomePositions = Pick<Extract<ClientEvent, { type: 'welcome' }>, 'joined' | 'user'>;

/** Returns the first event of a connection. `identity` is undefined without a token. */
export function welcomeEvent(
  clientId: string,
  session: string,
  options: GatewayOptions,
  identity: Identity | undefined,
  positions: WelcomePositions,
): ClientEvent {
  const { messageRate, groupsMax } = limitsOf(identity, options);
  return {
    type: 'welcome',
    client_id: clientId,
    session,
    heartbeat: { interval_ms: options.heartbeatMs, timeout_ms: options.heartbeatTimeoutMs },
    limits: {
      message_bytes: options.messageBytesMax,
      groups: groupsMax,
      messages_per_second: messageRate.perSecond,
      messages_burst: messageRate.burst,
      bytes_per_second: Math.floor(options.messageBytesPerSecond),
      bytes_burst: options.messageBytesPerSecond === 0 ? 0 : options.messageBytesBurst,
    },
    ...(identity === undefined ? {} : { uid: identity.uid, ...tokenLifeOf(identity) }),
    ...positions,
  };
}

/** Returns the field with the milliseconds until a token expires, if it does. */
export function tokenLifeOf({ expiresAt }: Identity): { token_expires_in_ms?: number } {
  if (expiresAt === undefined) return {};
  return { token_expires_in_ms: Math.max(0, Math.floor(expiresAt * 1_000 - Date.now())) };
}

/** Returns the reply to a command that succeeded, with the position of its group if it has one. */
export function ackEvent(id: CommandId, groupName?: string, position?: Position): AckEvent {
  if (groupName === undefined) return { type: 'ack', id };
  if (position === undefined) return { type: 'ack', id, group_id: groupName };
  return { type: 'ack', id, group_id: groupName, epoch: position.epoch, offset: position.offset };
}

/** Returns the reply to an ephemeral message, which has no position. */
export function notStoredEvent(id: CommandId, groupName: string): AckEvent {
  return { type: 'ack', id, group_id: groupName, stored: false };
}

/**
 * Returns the reply to `history` without its messages, which `encodeHistory` adds. Everything up to
 * `readOffset` was read.
 */
export function historyAckEvent(
  id: CommandId,
  groupName: string,
  position: Position,
  verdict: HistoryVerdict,
  readOffset: number,
): AckEvent {
  const ack = { ...ackEvent(id, groupName, position), verdict };
  return verdict === 'recovered' ? { ...ack, read_offset: readOffset } : ack;
}

/** Returns the error of a group that a client was removed from, without a command that asked. */
export function groupErrorEvent(code: ErrorCode, groupName: string): ClientEvent {
  return { type: 'error', ...groupFields(groupName), code, message: ERROR_CODES[code].sentence };
}

/** Returns the error of a group that a client may not, or no longer, be in. */
export function groupForbiddenEvent(groupName: string, { operation, sentence }: Refusal): ClientEvent {
  return { type: 'error', group_id: groupName, code: 'forbidden', message: sentence, operation };
}

/** Returns the reply to a rejected command. An error `forbidden` has the operation. */
export function errorEvent(
  code: ErrorCode,
  id: CommandId | undefined,
  sentence: string = ERROR_CODES[code].sentence,
  operation?: Operation,
): ClientEvent {
  // Fields that are undefined are not in the JSON.
  return { type: 'error', id, code, message: sentence, operation };
}

/** Returns the ack of a join with a position. `reason` tells why missed messages do not follow. */
export function recoveryAckEvent(ack: AckEvent, reason: GapReason | undefined): AckEvent {
  return reason === undefined ? { ...ack, recovered: true } : { ...ack, recovered: false, reason };
}

/**
 * Returns the event for a join by the server. `recovery` is given where the client had a position;
 * its `reason` tells why missed messages do not follow.
 */
export function joinedEvent(
  groupName: string,
  position: Position,
  recovery?: { readonly reason: GapReason | undefined },
): ClientEvent {
  const { epoch, offset } = position;
  const event = { type: 'joined' as const, ...groupFields(groupName), epoch, offset };
  if (recovery === undefined) return event;
  const { reason } = recovery;
  return reason === undefined ? { ...event, recovered: true } : { ...event, recovered: false, reason };
}

/** Returns the event for messages that are lost: the next ones follow `position`. */
export function gapEvent(groupName: string, reason: GapReason, position: Position): ClientEvent {
  const { epoch, offset } = position;
  return { type: 'gap', ...groupFields(groupName), reason, epoch, offset };
}

/** Returns the fields that say which group an event is of, or that it is of the user. */
function groupFields(groupName: string): { readonly group_id: string } | { readonly user: true } {
  return groupName === limits.USER_GROUP ? { user: true } : { group_id: groupName };
}

/** Returns the event before a close frame, with the same code and text. */
export function disconnectEvent(
  reason: CloseReason,
  reconnectAfterMs: number | undefined,
  text: string = CLOSE_CODES[reason].reason,
): ClientEvent {
  const event = { type: 'disconnect' as const, ...CLOSE_CODES[reason], reason: text };
  return reconnectAfterMs === undefined ? event : { ...event, reconnect_after_ms: reconnectAfterMs };
}
