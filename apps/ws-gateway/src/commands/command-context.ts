import type { Counters } from '../gateway-stats.ts';
import type { Groups } from '../groups.ts';
import type { HubPort } from '../hub-port.ts';
import type { GatewayOptions } from '../options.ts';

/** What commands work on. */
export interface CommandContext {
  readonly options: GatewayOptions;
  readonly groups: Groups;
  readonly hub: HubPort;
  readonly counters: Counters;
  /** Questions of all connections that wait for their turn. Only `Questions` changes the number. */
  readonly waitingQuestions: { count: number };
}
