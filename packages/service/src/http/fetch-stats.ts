import { AdminError } from './admin-error.ts';
import { fetchAdmin } from './fetch-admin.ts';
import { formatAddress } from './format-address.ts';

/** Fields that every service has in `GET /api/v1/stats`. */
interface ServiceStats {
  /** Name of the service: `groupcast-hub`. */
  readonly service: string;
}

/**
 * Fetches the stats of a running service from its admin port. Throws AdminError as `fetchAdmin`
 * does, and `bad_answer` when it is the port of another service.
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
 * Checks the name only: both ends have the same version as a rule, and a table of a newer one is
 * better than none.
 */
function isStatsOf<Stats extends ServiceStats>(value: unknown, service: string): value is Stats {
  return typeof value === 'object' && value !== null && 'service' in value && value.service === service;
}
