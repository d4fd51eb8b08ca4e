import type { Operation } from '@groupcast/protocol/client';

/**
 * Codes of errors. Match on the code, never on the message.
 *
 * Of this package:
 * - `outcome_unknown`: the message may have been published. If the same client sends it again under
 *   the same `messageId` within two minutes, it is published once.
 * - `not_sent`: the message was not published.
 * - `timeout`: the call took longer than its `timeoutMs` and has no effect.
 * - `queue_full`: the limit of unanswered messages is reached.
 * - `message_too_big`: the message exceeds the limit of the gateway.
 * - `buffer_full`: an iteration reads its messages too slowly.
 * - `load_failed`: the function given to `joinWithState` failed with `cause`.
 * - `left`: the application left the group before it was joined.
 * - `removed`: the server has removed the client from the group. The message has its reason.
 * - `closed`: the application closed the client.
 * - `disconnected`: a connection ended with `closeCode`, or could not be opened.
 * - `unreachable`: no attempt to connect has ever succeeded. The client keeps retrying.
 * - `token_failed`: `getToken` failed with `cause`, or took too long. The client keeps retrying.
 * - `token_expired`: the token has expired, and there is no `getToken`.
 * - `bad_event`: the gateway sent an invalid event.
 * - `no_websocket`, `bad_option`, `bad_url`: an argument of the constructor is invalid or missing.
 *
 * All others are codes of the gateway, from the table in PROTOCOL.md. Later gateways can have more.
 */
export type GroupcastErrorCode =
  | 'outcome_unknown'
  | 'not_sent'
  | 'timeout'
  | 'queue_full'
  | 'message_too_big'
  | 'buffer_full'
  | 'load_failed'
  | 'left'
  | 'removed'
  | 'closed'
  | 'disconnected'
  | 'unreachable'
  | 'token_failed'
  | 'token_expired'
  | 'bad_event'
  | 'no_websocket'
  | 'bad_option'
  | 'bad_url'
  | 'bad_field'
  | 'invalid_group'
  | 'group_limit'
  | 'rate_limited'
  | 'forbidden'
  | 'unauthorized'
  | 'hub_unavailable'
  | 'channel_limit'
  | 'internal_error'
  | (string & Record<never, never>);

export interface GroupcastErrorOptions extends ErrorOptions {
  /** The close code of the WebSocket. */
  readonly closeCode?: number;
  /** Operation that is not allowed, with `forbidden`. */
  readonly operation?: Operation | undefined;
}

/** The error that this package throws, rejects with and emits. */
export class GroupcastError extends Error {
  readonly code: GroupcastErrorCode;
  /** The close code with `disconnected`: 1006 without a close frame. */
  readonly closeCode: number | undefined;
  /** The operation that is not allowed, with `forbidden`. */
  readonly operation: Operation | undefined;

  constructor(code: GroupcastErrorCode, message: string, options?: GroupcastErrorOptions) {
    super(`${code}: ${message}`, options);
    this.name = 'GroupcastError';
    this.code = code;
    this.closeCode = options?.closeCode;
    this.operation = options?.operation;
  }

  /** Is true when the same command can succeed later. */
  get temporary(): boolean {
    return TEMPORARY.includes(this.code);
  }
}

const TEMPORARY: readonly string[] = [
  'hub_unavailable',
  'outcome_unknown',
  'rate_limited',
  'internal_error',
  'channel_limit',
  'queue_full',
];
