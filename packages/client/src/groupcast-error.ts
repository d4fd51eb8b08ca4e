/**
 * What can go wrong. Match on these, never on sentences.
 *
 * Of this package:
 * - `outcome_unknown`: the message may have been published, and may not. Sent again under the same `messageId` within
 *   two minutes of the first time, by the same client, it is published once.
 * - `not_sent`: it certainly was not published.
 * - `timeout`: the call was not done within its `timeoutMs`, and certainly has no effect.
 * - `queue_full`: as many messages are unanswered as may be.
 * - `message_too_big`: the gateway would not take it.
 * - `buffer_full`: an iteration read its messages too slowly.
 * - `load_failed`: the function given to `joinWithState` failed; `cause` says how.
 * - `left`: the group was left before it was joined.
 * - `closed`: the client was closed by the application.
 * - `disconnected`: a connection ended, or could not be made; `closeCode` says how.
 * - `unreachable`: no attempt to connect has ever succeeded; check the URL and the allowed origins. It is tried on.
 * - `bad_event`: the gateway sent what is no event.
 * - `no_websocket`, `bad_option`, `bad_url`: the client cannot be made like this.
 *
 * The others are the gateway's, from the table in PROTOCOL.md, and later gateways may have more.
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
  | 'closed'
  | 'disconnected'
  | 'unreachable'
  | 'bad_event'
  | 'no_websocket'
  | 'bad_option'
  | 'bad_url'
  | 'bad_field'
  | 'invalid_group'
  | 'group_limit'
  | 'rate_limited'
  | 'hub_unavailable'
  | 'channel_limit'
  | 'internal_error'
  | (string & Record<never, never>);

export interface GroupcastErrorOptions extends ErrorOptions {
  /** The close code of the WebSocket, where one was closed. */
  readonly closeCode?: number;
}

/** The one error that this package throws, rejects with and tells. */
export class GroupcastError extends Error {
  readonly code: GroupcastErrorCode;
  /** With `disconnected`: the close code, 1006 when there was no close frame. */
  readonly closeCode: number | undefined;

  constructor(code: GroupcastErrorCode, message: string, options?: GroupcastErrorOptions) {
    super(`${code}: ${message}`, options);
    this.name = 'GroupcastError';
    this.code = code;
    this.closeCode = options?.closeCode;
  }

  /** Whether the same command may succeed when it is sent again later. */
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
  'queue_limit',
];
