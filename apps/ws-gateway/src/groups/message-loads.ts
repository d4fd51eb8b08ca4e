import type { AllNamespaceRules, NamespaceRules } from '../auth/namespace-rules.ts';
import type { Group } from './group.ts';
import type { GroupRates } from './group-load.ts';
import { GroupLoads, LOADS_MAX } from './group-loads.ts';

/** Messages at once, in seconds of the rate. */
const BURST_SECONDS = 2;

/** Minimum of the maximum loads of one namespace. */
const LOADS_MIN = 64;

/**
 * Loads of groups in messages, where their namespaces have a rate. As with bytes, workers with
 * members of a group know its traffic, and the others have a share of the rate. Other rules begin
 * with other loads.
 */
export class MessageLoads {
  readonly #workers: number;
  readonly #rules: () => AllNamespaceRules;
  readonly #loads = new WeakMap<NamespaceRules, GroupLoads>();

  constructor(workers: number, rules: () => AllNamespaceRules) {
    this.#workers = workers;
    this.#rules = rules;
  }

  /** Charges a publish. `group` is that of the channel, if this worker is subscribed. */
  publish(name: string, channel: string, group: Group | undefined, nowMs: number): 'ok' | 'rate_limited' {
    return this.#of(name)?.publish(channel, group, 1, nowMs) ?? 'ok';
  }

  /** Charges the delivery of `count` messages. */
  delivered(group: Group, count: number, nowMs: number): void {
    this.#of(group.name)?.delivered(group, count, nowMs);
  }

  #of(name: string): GroupLoads | undefined {
    const all = this.#rules();
    if (all.rates === 0) return undefined;
    const rules = all.find(name);
    if (rules?.publishPerSecond === undefined) return undefined;
    let loads = this.#loads.get(rules);
    if (loads === undefined) {
      const loadsMax = Math.max(LOADS_MIN, Math.floor(LOADS_MAX / all.rates));
      loads = new GroupLoads(ratesOf(rules.publishPerSecond, this.#workers), 'messageLoad', loadsMax);
      this.#loads.set(rules, loads);
    }
    return loads;
  }
}

function ratesOf(perSecond: number, workers: number): GroupRates {
  const burst = Math.max(1, BURST_SECONDS * perSecond);
  const share = Math.max(1, burst / workers);
  return {
    seen: { perSecond, burst: share },
    unseen: { perSecond: perSecond / workers, burst: share },
    debtMax: burst,
  };
}
