import type { CloseReason, ErrorCode } from '@groupcast/protocol';

/** How many refused commands end a connection. */
export interface StrikeLimit {
  readonly strikesMax: number;
  readonly strikesMs: number;
}

/** Refusals that are the client's doing, and what too many of them close with. The hub's troubles are not among them. */
const CLOSE_REASONS: Partial<Record<ErrorCode, CloseReason>> = {
  bad_json: 'bad_request',
  bad_field: 'bad_request',
  unknown_command: 'bad_request',
  invalid_group: 'bad_request',
  group_limit: 'group_limit',
  rate_limited: 'policy',
};

/** Remembers when a client's last commands were refused, so that one that keeps sending nonsense is closed. */
export class Strikes {
  readonly #timesMs: number[] = [];

  /** Counts one refusal; says why the connection must end now, when it must. `nowMs` is a monotonic clock. */
  add(code: ErrorCode, limit: StrikeLimit, nowMs: number): 'ok' | CloseReason {
    const closeReason = CLOSE_REASONS[code];
    if (closeReason === undefined) return 'ok';
    this.#timesMs.push(nowMs);
    if (this.#timesMs.length < limit.strikesMax) return 'ok';
    const firstMs = this.#timesMs.shift() ?? nowMs;
    return nowMs - firstMs <= limit.strikesMs ? closeReason : 'ok';
  }
}
