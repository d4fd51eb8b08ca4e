/** One row of the close-code table. */
export interface CloseCodeRow {
  /** Code of RFC 6455 if one fits; else 4000-4499 (reconnect) or 4500-4999 (do not). */
  readonly code: number;
  /** Sentence in the close frame and in `disconnect`, at most 123 bytes. */
  readonly reason: string;
  /** Whether a client should reconnect automatically. */
  readonly reconnect: boolean;
}

/** Reasons for which a gateway closes a WebSocket: the one table of code, docs and clients. */
export const CLOSE_CODES = {
  normal: { code: 1000, reason: 'Closed as requested.', reconnect: false },
  going_away: { code: 1001, reason: 'The server is shutting down. Connect again.', reconnect: true },
  protocol_error: { code: 1002, reason: 'The client violated the WebSocket protocol.', reconnect: false },
  unsupported_data: {
    code: 1003,
    reason: 'Binary messages are not supported. Send text.',
    reconnect: false,
  },
  invalid_utf8: { code: 1007, reason: 'A text message was not valid UTF-8.', reconnect: false },
  policy: { code: 1008, reason: 'Too many messages. Slow down.', reconnect: true },
  message_too_big: { code: 1009, reason: 'The message is larger than the limit.', reconnect: false },
  internal_error: { code: 1011, reason: 'The server failed. Connect again.', reconnect: true },
  restart: { code: 1012, reason: 'The server restarts. Connect again.', reconnect: true },
  overloaded: { code: 1013, reason: 'The server is full. Connect again later.', reconnect: true },
  slow: { code: 4001, reason: 'Messages were read too slowly. Connect again and resume.', reconnect: true },
  no_answer: { code: 4002, reason: 'The heartbeat was not answered. Connect again.', reconnect: true },
  disconnected: { code: 4003, reason: 'Disconnected by the server. Connect again.', reconnect: true },
  too_many_connections: {
    code: 4009,
    reason: 'This user has too many connections. Close one, and connect again.',
    reconnect: true,
  },
  token_expired: {
    code: 4010,
    reason: 'The token has expired. Connect again with a new one.',
    reconnect: true,
  },
  auth_timeout: { code: 4011, reason: 'No token arrived in time. Connect again with one.', reconnect: true },
  bad_request: { code: 4500, reason: 'Too many invalid commands. Fix the client.', reconnect: false },
  unauthorized: { code: 4501, reason: 'The token is missing or invalid. Get a new one.', reconnect: false },
  disconnected_for_good: {
    code: 4503,
    reason: 'Disconnected by the server. Do not connect again.',
    reconnect: false,
  },
  group_limit: { code: 4505, reason: 'Too many joins beyond the group limit.', reconnect: false },
  replaced: { code: 4509, reason: 'A newer connection of this user replaced this one.', reconnect: false },
  revoked: { code: 4510, reason: 'The token was revoked. Log in again.', reconnect: false },
  banned: { code: 4511, reason: 'This user or address is banned.', reconnect: false },
  kicked: { code: 4512, reason: 'Removed by a moderator.', reconnect: false },
} as const satisfies Record<string, CloseCodeRow>;

export type CloseReason = keyof typeof CLOSE_CODES;

/** One row of the error table. */
export interface ErrorCodeRow {
  /** Sentence with the fault and the remedy. A reply may be more precise. */
  readonly sentence: string;
  /** Whether the same request may succeed when it is sent again later. */
  readonly temporary: boolean;
}

/** Errors of the clients' wire and of the hub's. Match on the name, never on the sentence. */
export const ERROR_CODES = {
  bad_json: { sentence: 'The message is not a JSON object. Send one object per message.', temporary: false },
  bad_field: {
    sentence: 'A field is missing or has the wrong type. See the protocol page.',
    temporary: false,
  },
  unknown_command: { sentence: 'Unknown command. See the protocol page.', temporary: false },
  invalid_group: {
    sentence:
      'group_id must be a string of 1 to 255 bytes of UTF-8 without control characters, or an integer.',
    temporary: false,
  },
  group_limit: {
    sentence: 'Group limit per connection reached. Leave a group first.',
    temporary: false,
  },
  rate_limited: { sentence: 'Rate limit exceeded. Send more slowly.', temporary: true },
  hub_unavailable: { sentence: 'The hub is unavailable. Retry later.', temporary: true },
  outcome_unknown: {
    sentence: 'It is unknown whether the message was published. Send it again with the same message_id.',
    temporary: true,
  },
  internal_error: { sentence: 'The server failed. Retry later.', temporary: true },
  bad_length: { sentence: 'The frame length is out of bounds.', temporary: false },
  bad_frame: { sentence: 'The frame is not a message of this protocol.', temporary: false },
  bad_channel: {
    sentence: 'A channel name must be 1 to 320 bytes of UTF-8 without control characters.',
    temporary: false,
  },
  unsupported_version: { sentence: 'Unsupported protocol version.', temporary: false },
  unauthorized: { sentence: 'The token or the proof of the secret is missing or invalid.', temporary: false },
  channel_limit: {
    sentence: 'Channel limit reached. Retry later.',
    temporary: true,
  },
  bad_queue: {
    sentence: 'A queue name must be 1 to 255 bytes of UTF-8 without control characters.',
    temporary: false,
  },
  queue_full: { sentence: 'The queue is full. Retry later.', temporary: true },
  queue_limit: {
    sentence: 'Queue limit reached. Remove or unwatch a queue first.',
    temporary: true,
  },
  forbidden: { sentence: 'This name belongs to the system. Use a name without $.', temporary: false },
  unsupported: { sentence: 'This needs a capability that the peer did not announce.', temporary: false },
  keys_full: {
    sentence: 'The hub has no room for further keys. Remove keys, or raise its limits.',
    temporary: true,
  },
  unknown_dialect: { sentence: 'The first byte of the body names no dialect.', temporary: false },
} as const satisfies Record<string, ErrorCodeRow>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Returns whether this version knows a code that it received. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
