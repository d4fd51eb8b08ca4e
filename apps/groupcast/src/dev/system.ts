import type { StartRow } from '@groupcast/service';
import type { DevConfig } from './options.ts';
import { Service, type ServiceOptions } from './service.ts';

const LOCAL = '127.0.0.1';

interface PlannedService extends ServiceOptions, Omit<StartRow, 'listen'> {}

/** A hub and a gateway on this machine. */
export class DevSystem {
  readonly #plan: readonly PlannedService[];
  readonly #services: Service[] = [];
  #isStopping = false;

  /** `entry` is the main file of this program. */
  constructor(config: DevConfig, entry: string) {
    this.#plan = [hubOf(config, entry), gatewayOf(config, entry)];
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /**
   * Starts both, and resolves with the rows of their start table. Resolves with `undefined` if one
   * has ended before it was ready, or `stop` was called.
   */
  async start(): Promise<readonly StartRow[] | undefined> {
    const rows: StartRow[] = [];
    for (const { worker, processes, ...options } of this.#plan) {
      if (this.#isStopping) return undefined;
      const service = new Service(options);
      this.#services.push(service);
      const listen = await service.ready();
      if (listen === undefined) return undefined;
      rows.push({ worker, listen, processes });
    }
    return this.#isStopping ? undefined : rows;
  }

  /** Resolves with a sentence when one of the started services is gone. */
  firstEnd(): Promise<string> {
    return Promise.race(
      this.#services.map(async ({ name, ended }) => `${name} has ended with ${await ended}.`),
    );
  }

  /** Stops the gateway, then the hub: clients leave while the hub still answers. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const service of this.#services.toReversed()) await service.stop();
  }
}

function hubOf({ hubPort, hubAdminPort, logLevel, logFormat }: DevConfig, entry: string): PlannedService {
  const flags = [
    `--host=${LOCAL}`,
    `--port=${hubPort}`,
    `--admin-host=${LOCAL}`,
    `--admin-port=${hubAdminPort}`,
    '--warm-up-ms=0',
  ];
  const log = [`--log-level=${logLevel}`, `--log-format=${logFormat}`];
  const argv = ['hub', 'start', ...flags, ...log];
  return { worker: 'ChannelHub', processes: 1, name: 'groupcast-hub', entry, argv, adminPort: hubAdminPort };
}

function gatewayOf(config: DevConfig, entry: string): PlannedService {
  const { host, port, adminPort, hubPort, workers, logLevel, logFormat } = config;
  const flags = [
    `--host=${host}`,
    `--port=${port}`,
    `--admin-host=${LOCAL}`,
    `--admin-port=${adminPort}`,
    `--hub=${LOCAL}:${hubPort}`,
    `--workers=${workers}`,
    '--drain-seconds=0',
    '--warm-up-ms=0',
  ];
  const log = [`--log-level=${logLevel}`, `--log-format=${logFormat}`];
  const argv = ['gateway', 'start', ...flags, ...log];
  return { worker: 'WsGateway', processes: workers, name: 'groupcast-gateway', entry, argv, adminPort };
}
