import type { CloseReason, ErrorCode } from '@groupcast/protocol';
import type { Identity } from '../auth/identity.ts';
import type { GatewayOptions } from '../options.ts';
import { type Rate, RateLimit } from './rate-limit.ts';
import { type StrikeLimit, Strikes } from './strikes.ts';

/** Rates of each connection. */
export interface ClientRates {
  readonly messageRate: Rate;
  /** Undefined where bytes have no limit. */
  readonly byteRate: Rate | undefined;
  readonly controlRate: Rate;
}

/** Limits that a token may lower. */
interface LoweredLimits {
  readonly messageRate: Rate;
  /** Maximum groups. */
  readonly groupsMax: number;
}

/** Returns the limits of a client. Those of a token count where they are below the gateway's. */
export function limitsOf(
  identity: Identity | undefined,
  options: Pick<GatewayOptions, 'messagesPerSecond' | 'messagesBurst' | 'groupsPerConnectionMax'>,
): LoweredLimits {
  const { messagesPerSecond: gatewayRate, messagesBurst, groupsPerConnectionMax } = options;
  const { messagesPerSecond = gatewayRate, groups = groupsPerConnectionMax } = identity?.limits ?? {};
  const perSecond = Math.min(messagesPerSecond, gatewayRate);
  return {
    messageRate: { perSecond, burst: Math.ceil((messagesBurst * perSecond) / gatewayRate) },
    groupsMax: Math.min(groups, groupsPerConnectionMax),
  };
}

/** Rate limits and strikes of one connection. `nowMs` is a monotonic clock in all methods. */
export class ClientLimits {
  /** Rates, which a new token may change. */
  rates: ClientRates;
  // Each is created on first use, because most connections need few of them.
  #messages: RateLimit | undefined;
  #bytes: RateLimit | undefined;
  #controls: RateLimit | undefined;
  #strikes: Strikes | undefined;

  constructor(rates: ClientRates) {
    this.rates = rates;
  }

  /** Counts a message of `bytes` bytes. */
  addMessage(bytes: number, nowMs: number): 'ok' | 'rate_limited' {
    const { messageRate, byteRate } = this.rates;
    this.#messages ??= new RateLimit(messageRate, nowMs);
    const verdict = this.#messages.take(messageRate, nowMs);
    if (verdict !== 'ok' || byteRate === undefined) return verdict;
    this.#bytes ??= new RateLimit(byteRate, nowMs);
    return this.#bytes.overdraw(byteRate, nowMs, bytes);
  }

  /** Counts a WebSocket ping or pong. */
  addControl(nowMs: number): 'ok' | 'rate_limited' {
    const { controlRate } = this.rates;
    this.#controls ??= new RateLimit(controlRate, nowMs);
    return this.#controls.take(controlRate, nowMs);
  }

  /** Counts a rejected command. Returns the reason to close the connection. */
  addStrike(code: ErrorCode, limit: StrikeLimit, nowMs: number): 'ok' | CloseReason {
    this.#strikes ??= new Strikes();
    return this.#strikes.add(code, limit, nowMs);
  }
}
