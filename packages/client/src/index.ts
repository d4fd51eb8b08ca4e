export { type ClientEvents, GroupcastClient } from './client.ts';
export type { ClientState } from './connector.ts';
export type { Group, JoinOptions, SendOptions } from './group.ts';
export type { Gap, GroupEvents, Joined, Message } from './group-events.ts';
export { GroupcastError, type GroupcastErrorCode } from './groupcast-error.ts';
export type { LoadRequest, LoadState } from './membership.ts';
export type { GroupcastClientOptions } from './options.ts';
export type { WebSocketConstructor, WebSocketLike } from './websocket-like.ts';
export type { GapReason, JsonValue, Position } from './wire.ts';
