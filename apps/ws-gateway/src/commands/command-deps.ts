import type { Counters } from '../admin/gateway-stats.ts';
import type { Groups } from '../groups/groups.ts';
import type { HubPort } from '../groups/hub-port.ts';
import type { PositionRequests } from '../groups/position-requests.ts';

/** Dependencies of commands, which all connections of a worker share. */
export interface CommandDeps {
  readonly hub: HubPort;
  readonly groups: Groups;
  readonly positionRequests: PositionRequests;
  readonly counters: Counters;
}
