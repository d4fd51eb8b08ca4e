import type { Log } from '@groupcast/service';
import type { Counters } from '../admin/gateway-stats.ts';
import type { Namespaces } from '../auth/namespaces.ts';
import type { Permissions } from '../auth/permissions.ts';
import type { ServerGroups } from '../connection/server-groups.ts';
import type { Groups } from '../groups/groups.ts';
import type { HubPort } from '../groups/hub-port.ts';
import type { PageRequests } from '../groups/page-requests.ts';
import type { RecoveryBudget } from '../groups/recovery-budget.ts';
import type { Refreshes } from './refresh.ts';

/** Dependencies of commands, which all connections of a worker share. */
export interface CommandDeps {
  readonly hub: HubPort;
  readonly permissions: Permissions;
  readonly namespaces: Pick<Namespaces, 'rules'>;
  readonly groups: Groups;
  readonly pageRequests: PageRequests;
  readonly recoveryBudget: RecoveryBudget;
  readonly serverGroups: ServerGroups;
  readonly counters: Counters;
  readonly log: Log;
  /** Undefined where clients have no tokens. */
  readonly refreshes: Refreshes | undefined;
}
