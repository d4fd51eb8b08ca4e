export type { GapReason, HistoryVerdict, JsonValue, Operation, Position } from '@groupcast/protocol/client';
export { GroupcastClient } from './client.ts';
export type {
  ClientEvents,
  Forbidden,
  JoinedByServer,
  RemovedByServer,
} from './client-events.ts';
export type { ClientState, Disconnected } from './connection/connector.ts';
export type { WebSocketConstructor, WebSocketLike } from './connection/websocket-like.ts';
export { GroupcastError, type GroupcastErrorCode } from './groupcast-error.ts';
export type { AbortSignalLike, CallOptions } from './groups/call.ts';
export type { Group, JoinOptions, LeaveOptions } from './groups/group.ts';
export type { Gap, GroupEvents, Joined, Message, MessageSender } from './groups/group-events.ts';
export type { LoadRequest, LoadState } from './groups/group-state.ts';
export type { MessageRange } from './groups/message-range.ts';
export type { GroupcastClientOptions, TokenRequest } from './options.ts';
export type { History, HistoryOptions } from './sending/history.ts';
export type { BanOptions, KickOptions } from './sending/moderation.ts';
export type { SendOptions } from './sending/publish-command.ts';
