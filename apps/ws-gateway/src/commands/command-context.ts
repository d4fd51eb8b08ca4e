import type { Counters } from '../admin/gateway-stats.ts';
import type { Groups } from '../groups/groups.ts';
import type { HubPort } from '../groups/hub-port.ts';
import type { GatewayOptions } from '../options.ts';

/** What commands work on. */
export interface CommandDeps {
  readonly options: GatewayOptions;
  readonly groups: Groups;
  readonly hub: HubPort;
  readonly counters: Counters;
  /** Questions of all connections that wait for their turn. Only `Questions` changes the number. */
  readonly waitingQuestions: { count: number };
}
