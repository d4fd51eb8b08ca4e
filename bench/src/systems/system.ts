import type { Running } from './processes.ts';

/** A server of WebSockets under load. */
export interface Served extends Running {
  readonly url: string;
  /** Arguments of every load on this system. */
  readonly loadArgs?: readonly string[];
}

/** A system that groups WebSockets. */
export interface System {
  readonly name: string;
  /** Protocol of the load generator. */
  readonly protocol: 'groupcast' | 'socket.io' | 'nats';
  readonly version: string;
  /** Whether it belongs to this project. */
  readonly isOurs?: boolean;
  /** Undefined if it can start; otherwise the missing requirement. */
  readonly missing?: string | undefined;
  start(): Promise<Served>;
}
