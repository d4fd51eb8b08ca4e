import type { CommandDeps } from '../commands/command-context.ts';
import type { Backpressure } from './backpressure.ts';
import type { Connection } from './connection.ts';
import type { HeartbeatTicks } from './heartbeat.ts';
import type { Rate } from './rate-limit.ts';
import type { SlowClientLog } from './slow-client-log.ts';

/** What all connections of a worker share. */
export interface ConnectionDeps extends CommandDeps {
  readonly backpressure: Backpressure;
  readonly slowLog: SlowClientLog;
  readonly messageRate: Rate;
  /** Nothing where bytes have no limit. */
  readonly byteRate: Rate | undefined;
  readonly controlRate: Rate;
  readonly heartbeat: HeartbeatTicks;
  readonly closeTicks: number;
  /** The connections that are not closed. */
  readonly connections: Set<Connection>;
  /** A connection has closed. */
  connectionClosed(): void;
}
