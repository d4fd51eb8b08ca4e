import { networkInterfaces } from 'node:os';
import { AdminError, ConfigError, fetchStats, formatAddress } from '@groupcast/service';
import type { PrimaryStats } from '../admin/stats.ts';
import type { GatewayConfig } from '../config.ts';
import { listensOn } from './listens-on.ts';

type AdminAddress = Pick<GatewayConfig, 'adminHost' | 'adminPort'>;

/** Late stats in a row that are accepted from a busy gateway. */
const LATE_ANSWERS_MAX = 6;

/**
 * The gateway whose admin port is on this machine. It is controlled by signals, which no web page
 * can send, and watched through its stats.
 */
export class RunningGateway {
  readonly pid: number;
  readonly #admin: AdminAddress;

  private constructor(admin: AdminAddress, pid: number) {
    this.#admin = admin;
    this.pid = pid;
  }

  /**
   * Finds the gateway, and checks that its process listens on the admin port: the stats could name
   * any pid. Throws ConfigError for an address of another machine, and AdminError without a
   * gateway.
   */
  static async find(admin: AdminAddress): Promise<{ gateway: RunningGateway; stats: PrimaryStats }> {
    const { adminHost, adminPort } = admin;
    if (!isOfThisMachine(adminHost)) {
      const problem = `--admin-host ${adminHost} is not an address of this machine: run this command where the gateway runs.`;
      throw new ConfigError([problem]);
    }
    const stats = await fetchStats<PrimaryStats>(adminHost, adminPort, 'groupcast-gateway');
    const { pid } = stats;
    checkProcess(pid, adminHost, adminPort);
    return { gateway: new RunningGateway(admin, pid), stats };
  }

  /** Throws ConfigError when the signal is not permitted. */
  signal(signal: 'SIGHUP' | 'SIGTERM'): void {
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      throw notAllowed(this.pid, error);
    }
  }

  /** Fetches the stats; `undefined` when the gateway is gone. */
  async stats(): Promise<PrimaryStats | undefined> {
    for (let late = 1; ; late++) {
      try {
        const { adminHost, adminPort } = this.#admin;
        const stats = await fetchStats<PrimaryStats>(adminHost, adminPort, 'groupcast-gateway');
        return stats.pid === this.pid ? stats : undefined;
      } catch (error) {
        if (!(error instanceof AdminError)) throw error;
        if (error.code === 'unreachable') return undefined;
        if (error.code !== 'timeout' || late === LATE_ANSWERS_MAX) throw error;
      }
    }
  }
}

function checkProcess(pid: unknown, host: string, port: number): void {
  const where = formatAddress(host, port);
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) {
    throw new AdminError('bad_answer', `${where} names no valid process id.`);
  }
  try {
    if (listensOn(pid, port) !== false) return;
  } catch (error) {
    throw notAllowed(pid, error);
  }
  const message =
    `${where} names process ${pid}, which does not listen there: if the gateway runs in a container, ` +
    'run this command in the container.';
  throw new AdminError('bad_answer', message);
}

function notAllowed(pid: number, cause: unknown): ConfigError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError(
    [
      `Process ${pid} cannot be signalled (${reason}): run this command as the user of the gateway, on its machine.`,
    ],
    { cause },
  );
}

function isOfThisMachine(host: string): boolean {
  if (host === 'localhost' || host === '0.0.0.0' || host === '::' || host.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === host),
  );
}
