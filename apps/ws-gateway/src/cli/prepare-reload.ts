import { ConfigError } from '@groupcast/service';
import type { GatewayConfig } from '../config.ts';
import { type PreparedGateway, prepareGateway } from './prepare.ts';

/** Options whose change would move the admin port, through which a reload is watched. */
const FIXED = { adminHost: '--admin-host', adminPort: '--admin-port' } as const;

/**
 * Prepares a reload with the configuration as it is `now`; `running` is the one that the process
 * was started with. Throws ConfigError with every problem, and one for each change that only a
 * restart can make.
 */
export function prepareReload(running: GatewayConfig, now: GatewayConfig): PreparedGateway {
  const keys = Object.keys(FIXED) as (keyof typeof FIXED)[];
  const problems = keys
    .filter((key) => now[key] !== running[key])
    .map(
      (key) =>
        `${FIXED[key]} cannot change from ${running[key]} to ${now[key]} by a reload: restart the gateway.`,
    );
  if (problems.length > 0) throw new ConfigError(problems);
  return prepareGateway(now);
}
