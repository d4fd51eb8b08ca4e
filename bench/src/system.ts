import type { Running } from './processes.ts';

/** A server of WebSockets under load. */
export interface Served extends Running {
  readonly url: string;
}

/** Something that groups WebSockets. */
export interface System {
  readonly name: string;
  /** What the load generator must speak. */
  readonly protocol: 'groupcast' | 'socket.io' | 'nats';
  readonly version: string;
  /** Whether it is this project, and no peer of it. */
  readonly isOurs?: boolean;
  /** Undefined where it can be started; otherwise what is missing. */
  readonly missing?: string | undefined;
  start(): Promise<Served>;
}
