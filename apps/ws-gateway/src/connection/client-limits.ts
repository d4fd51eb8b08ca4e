import type { CloseReason, ErrorCode } from '@groupcast/protocol';
import { type Rate, RateLimit } from './rate-limit.ts';
import { type StrikeLimit, Strikes } from './strikes.ts';

/** Rates of each connection. */
export interface ClientRates {
  readonly messageRate: Rate;
  /** Undefined where bytes have no limit. */
  readonly byteRate: Rate | undefined;
  readonly controlRate: Rate;
}

/** Rate limits and strikes of one connection. `nowMs` is a monotonic clock in all methods. */
export class ClientLimits {
  // Each is created on first use, because most connections need few of them.
  #messages: RateLimit | undefined;
  #bytes: RateLimit | undefined;
  #controls: RateLimit | undefined;
  #strikes: Strikes | undefined;

  /** Counts a message of `bytes` bytes. */
  addMessage(bytes: number, { messageRate, byteRate }: ClientRates, nowMs: number): 'ok' | 'rate_limited' {
    this.#messages ??= new RateLimit(messageRate, nowMs);
    const verdict = this.#messages.take(messageRate, nowMs);
    if (verdict !== 'ok' || byteRate === undefined) return verdict;
    this.#bytes ??= new RateLimit(byteRate, nowMs);
    return this.#bytes.overdraw(byteRate, nowMs, bytes);
  }

  /** Counts a WebSocket ping or pong. */
  addControl({ controlRate }: ClientRates, nowMs: number): 'ok' | 'rate_limited' {
    this.#controls ??= new RateLimit(controlRate, nowMs);
    return this.#controls.take(controlRate, nowMs);
  }

  /** Counts a rejected command. Returns the reason to close the connection. */
  addStrike(code: ErrorCode, limit: StrikeLimit, nowMs: number): 'ok' | CloseReason {
    this.#strikes ??= new Strikes();
    return this.#strikes.add(code, limit, nowMs);
  }
}
