import type { CloseReason, ErrorCode } from '@groupcast/protocol';

/** Number of rejected commands that closes a connection. */
export interface StrikeLimit {
  readonly strikesMax: number;
  readonly strikesMs: number;
}

/** Close reasons for errors that a client causes. Errors of the hub are no strikes. */
const CLOSE_REASONS: Partial<Record<ErrorCode, CloseReason>> = {
  bad_json: 'bad_request',
  bad_field: 'bad_request',
  unknown_command: 'bad_request',
  invalid_group: 'bad_request',
  unauthorized: 'bad_request',
  group_limit: 'group_limit',
  rate_limited: 'policy',
};

/** Counts the rejected commands of a client, so that one that sends many is closed. */
export class Strikes {
  readonly #timesMs: number[] = [];

  /**
   * Counts a rejection. Returns the reason to close the connection. `nowMs` is a monotonic clock.
   */
  add(code: ErrorCode, limit: StrikeLimit, nowMs: number): 'ok' | CloseReason {
    const closeReason = CLOSE_REASONS[code];
    if (closeReason === undefined) return 'ok';
    this.#timesMs.push(nowMs);
    if (this.#timesMs.length < limit.strikesMax) return 'ok';
    const firstMs = this.#timesMs.shift() ?? nowMs;
    return nowMs - firstMs <= limit.strikesMs ? closeReason : 'ok';
  }
}
