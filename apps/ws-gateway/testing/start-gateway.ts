import { createGateway, type Gateway } from '../src/gateway.ts';
import type { GatewayOptions } from '../src/options.ts';
import { TimingWheel } from '../src/timing-wheel.ts';
import { LoopbackHub } from './loopback-hub.ts';

/**
 * `heartbeatMs` for a test in which no ping may be due. The first one comes at a random time within
 * it: this is the longest.
 */
export const NO_PINGS_MS = 2_000_000_000;

/**
 * A gateway on a free port, with a hub in this process and a wheel that tests advance by hand.
 */
export interface StartedGateway {
  readonly gateway: Gateway;
  readonly hub: LoopbackHub;
  readonly wheel: TimingWheel;
  readonly port: number;
  readonly url: string;
  /** Advances the wheel. */
  advance(seconds: number): void;
}

/** Tests run with and without fast paths. */
const FAST_PATHS = process.env['TEST_FAST_PATHS'] !== 'false';

export async function startGateway(
  options: Partial<Omit<GatewayOptions, 'hub' | 'wheel'>> = {},
): Promise<StartedGateway> {
  const hub = new LoopbackHub();
  const wheel = new TimingWheel();
  const gateway = createGateway({
    host: '127.0.0.1',
    port: 0,
    fastPaths: FAST_PATHS,
    ...options,
    hub,
    wheel,
  });
  const { port } = await gateway.listen();
  const advance = (seconds: number): void => {
    for (let tick = 0; tick < seconds; tick++) wheel.tick();
  };
  return { gateway, hub, wheel, port, url: `ws://127.0.0.1:${port}`, advance };
}
