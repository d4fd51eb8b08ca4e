import { ConfigError } from '@groupcast/service';
import type { GatewayConfig } from '../config.ts';
import { readSettings, type SettingsReading } from './settings.ts';

/** Those whose change would move the admin port, through which the gateway is watched meanwhile. */
const FIXED = { adminHost: '--admin-host', adminPort: '--admin-port' } as const;

/**
 * The settings for a reload, from the configuration as it is now. `running` is the one that the
 * process was started with. Throws ConfigError with every problem, and one for each change that
 * only a restart can make.
 */
export function rereadSettings(running: GatewayConfig, now: GatewayConfig): SettingsReading {
  const keys = Object.keys(FIXED) as (keyof typeof FIXED)[];
  const problems = keys
    .filter((key) => now[key] !== running[key])
    .map(
      (key) =>
        `${FIXED[key]} cannot change from ${running[key]} to ${now[key]} by a reload: start the gateway anew.`,
    );
  if (problems.length > 0) throw new ConfigError(problems);
  return readSettings(now);
}
