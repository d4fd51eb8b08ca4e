// The front door for clients: types, constants and rules, without zod and without side effects.
export { CLOSE_CODES, type CloseCodeRow, type CloseReason, ERROR_CODES, type ErrorCode } from '../codes.ts';
export { groupNameOf } from '../name.ts';
export type { Position } from '../position.ts';
export { type ReconnectBounds, reconnectDelayMs } from '../reconnect.ts';
export { reconnectsAfter } from './close-code.ts';
export type { ClientCommand, ClientCommandBody, CommandId, Operation } from './command.ts';
export type {
  AckEvent,
  ClientEvent,
  DisconnectEvent,
  ErrorEvent,
  GapEvent,
  GapReason,
  HistoryMessage,
  HistoryVerdict,
  JoinedEvent,
  JoinedPosition,
  JsonValue,
  MessageEvent,
  MessageFrom,
  PingEvent,
  RemovedEvent,
  UserGapEvent,
  UserJoinedEvent,
  UserMessageEvent,
  WelcomeEvent,
} from './event.ts';
export {
  CLIENT_SESSION_PREFIX,
  CLIENT_SUBPROTOCOL_V1,
  CLIENT_SUBPROTOCOL_V1_AT,
  CLIENT_TOKEN_PREFIX,
} from './subprotocol.ts';
