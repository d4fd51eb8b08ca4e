import type { HubClientTls } from '@groupcast/hub-client';
import type { GatewayConfig, HubAddress } from '../config.ts';
import type { GatewayOptions } from '../options.ts';

/** What a worker needs to know, in a form that can be sent to it. */
export interface WorkerOptions {
  /** Its number among the workers: its successor after a death has the same. */
  readonly index: number;
  readonly gateway: Pick<GatewayOptions, 'host' | 'port'> &
    Partial<Omit<GatewayOptions, 'hub' | 'log' | 'wheel' | 'accepted'>>;
  readonly hub: HubAddress;
  /** Shared with the hub; '' where there is none. */
  readonly secret: string;
  readonly hubTls: HubClientTls | undefined;
  /** How long it may warm up before it listens, in milliseconds. */
  readonly warmUpMs: number;
  /** The window of its drain, where nobody orders another, in milliseconds. */
  readonly drainMs: number;
  readonly log: { readonly level: GatewayConfig['logLevel']; readonly format: GatewayConfig['logFormat'] };
}
