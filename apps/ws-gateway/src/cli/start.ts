import { availableParallelism } from 'node:os';
import {
  type Command,
  ConfigError,
  createAdminServer,
  createLogger,
  EventLoopDelay,
  formatAddress,
  listenAt,
  readSecretFile,
  readTlsFiles,
  runUntilSignal,
  startTable,
  type TlsMaterial,
} from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { type GatewayConfig, parseHub } from '../config.ts';
import { connectionsMaxOf } from '../supervision/connections-max.ts';
import { Primary } from '../supervision/primary.ts';
import type { WorkerOptions } from '../supervision/worker-options.ts';
import { gatewayMetrics } from './metrics.ts';
import { collectStats, type PrimaryStats } from './stats.ts';

const HUB_TLS_FLAGS = {
  cert: '--hub-tls-cert-file',
  key: '--hub-tls-key-file',
  ca: '--hub-tls-ca-file',
} as const;

/** Beyond the window of the drain, before the process ends whatever is left. */
const DRAIN_GRACE_MS = 15_000;

export const startCommand: Command<GatewayConfig> = {
  summary: 'Run the gateway: the primary process and its workers.',
  run: async (config, context) => {
    const { secret, warning } = readSecretFile(config.secretFile);
    const log = createLogger({
      name: 'groupcast-gateway',
      level: config.logLevel,
      format: config.logFormat,
      bindings: { role: 'primary' },
    });
    for (const line of [...context.warnings, warning]) if (line !== undefined) log.warn(line);
    const workers = config.workers === 0 ? availableParallelism() : config.workers;
    const primary = new Primary({ workers, worker: workerOptions(config, secret), log });
    const loopDelay = new EventLoopDelay();
    let listen = '';
    const stats = (): Promise<PrimaryStats> => collectStats(primary, listen, loopDelay.read().p99Ms);
    const admin = createAdminServer({
      host: config.adminHost,
      port: config.adminPort,
      ready: () => {
        const reason = primary.unreadiness;
        return reason === undefined ? { ready: true } : { ready: false, reason };
      },
      metrics: async () => gatewayMetrics(await stats()),
      routes: { '/api/v1/stats': stats },
      onError: (error, path) => log.error({ error, path }, 'admin port failed'),
    });
    try {
      await listenAt(admin, config.adminHost, config.adminPort, '--admin-port');
      const ended = runUntilSignal({
        drain: () => primary.drain(config.drainSeconds * 1_000, 'going_away'),
        log,
        deadlineMs: config.drainSeconds * 1_000 + DRAIN_GRACE_MS,
      });
      const started = listenAt({ listen: () => primary.start() }, config.host, config.port, '--port');
      // A signal may come before the workers listen; then they never will.
      const address = await Promise.race([started, ended.then(() => undefined)]);
      if (address !== undefined) {
        listen = `ws://${formatAddress(config.host, address.port)}`;
        context.print(startTable([{ worker: 'WsGateway', listen, processes: workers }]));
      }
      return await ended;
    } finally {
      await primary.drain(0, 'going_away');
      await admin.close();
      loopDelay.close();
    }
  },
};

function workerOptions(config: GatewayConfig, secret: string): Omit<WorkerOptions, 'index'> {
  const hub = parseHub(config.hub);
  // The config table has checked it; the type cannot say so.
  if (hub === undefined) throw new Error(`Not an address of a hub: ${config.hub}`);
  const { host, port, allowedOrigins, welcomePage, groupsPerConnectionMax } = config;
  const { messageBytesMax, messagesPerSecond, messagesBurst } = config;
  const gateway: WorkerOptions['gateway'] = {
    host,
    port,
    version: manifest.version,
    allowedOrigins,
    welcomePage,
    connectionsMax: config.connectionsMax === 0 ? connectionsMaxOf() : config.connectionsMax,
    groupsPerConnectionMax,
    messageBytesMax,
    messagesPerSecond,
    messagesBurst,
    heartbeatMs: config.heartbeatSeconds * 1_000,
  };
  return {
    gateway,
    hub,
    secret,
    hubTls: hubTls(config),
    drainMs: config.drainSeconds * 1_000,
    log: { level: config.logLevel, format: config.logFormat },
  };
}

function hubTls(config: GatewayConfig): TlsMaterial | undefined {
  const files = { cert: config.hubTlsCertFile, key: config.hubTlsKeyFile, ca: config.hubTlsCaFile };
  const material = readTlsFiles(files, HUB_TLS_FLAGS);
  if (config.hubTls) return material;
  if (Object.keys(material).length === 0) return undefined;
  throw new ConfigError(['Files for TLS with the hub are named, but not used: give --hub-tls as well.']);
}
