import { AdminError } from './admin-error.ts';
import { fetchAdmin } from './fetch-admin.ts';
import { formatAddress } from './format-address.ts';

/** What every service says of itself in `GET /api/v1/stats`. */
interface ServiceStats {
  /** Its name: `groupcast-hub`. */
  readonly service: string;
}

/**
 * Asks the admin port of a running service for its stats. Throws AdminError as `fetchAdmin` does,
 * and `bad_answer` when it is the port of another service.
 */
export async function fetchStats<Stats extends ServiceStats>(
  host: string,
  port: number,
  service: Stats['service'],
): Promise<Stats> {
  const stats = await fetchAdmin(host, port, '/api/v1/stats', service);
  if (!isStatsOf<Stats>(stats, service)) {
    const message = `${formatAddress(host, port)} is not the admin port of ${service}; --admin-host and --admin-port say where to ask.`;
    throw new AdminError('bad_answer', message);
  }
  return stats;
}

/**
 * The name stands for the shape: both ends are of one version, and a table of a newer one is better
 * than none.
 */
function isStatsOf<Stats extends ServiceStats>(value: unknown, service: string): value is Stats {
  return typeof value === 'object' && value !== null && 'service' in value && value.service === service;
}
