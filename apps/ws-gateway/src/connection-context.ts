import type { CommandContext } from './commands/command-context.ts';
import type { Connection } from './connection.ts';
import type { GatewayOptions } from './options.ts';
import type { Backpressure } from './policies/backpressure.ts';
import type { HeartbeatTicks } from './policies/heartbeat.ts';
import type { Rate } from './policies/rate-limit.ts';

/** What all connections of a worker share. */
export interface ConnectionContext extends CommandContext {
  readonly options: GatewayOptions;
  readonly backpressure: Backpressure;
  readonly messageRate: Rate;
  readonly controlRate: Rate;
  readonly heartbeat: HeartbeatTicks;
  readonly closeTicks: number;
  /** The connections that are not closed. */
  readonly connections: Set<Connection>;
  /** A connection has closed. */
  connectionClosed(): void;
}
