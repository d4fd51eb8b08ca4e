import {
  type Command,
  createAdminServer,
  createLogger,
  EventLoopDelay,
  listenAt,
  runUntilSignal,
  START_EXIT_CODES,
} from '@groupcast/service';
import { gatewayMetrics } from './admin/metrics.ts';
import { collectStats, type PrimaryStats } from './admin/stats.ts';
import { announceGateway } from './cli/announce-gateway.ts';
import { prepareGateway } from './cli/prepare.ts';
import { prepareReload } from './cli/prepare-reload.ts';
import type { GatewayConfig } from './config.ts';
import type { GatewaySettings } from './processes/generation.ts';
import { Primary } from './processes/primary.ts';
import { Reloads } from './processes/reloads.ts';

/**
 * Time beyond the delay and the window of the drain, after which the process exits, in
 * milliseconds.
 */
const DRAIN_GRACE_MS = 15_000;

export const startCommand: Command<GatewayConfig> = {
  summary: 'Run the gateway: the primary process and its workers.',
  exitCodes: START_EXIT_CODES,
  run: async (config, context) => {
    const first = prepareGateway(config);
    const log = createLogger({
      name: 'groupcast-gateway',
      level: config.logLevel,
      format: config.logFormat,
      bindings: { role: 'primary' },
    });
    for (const line of [...context.warnings, ...first.warnings]) log.warn(line);
    const certificates = new WeakMap([[first.settings, first.certificates]]);
    const reread = (): GatewaySettings => {
      const now = context.reread();
      const { settings, warnings, certificates: next } = prepareReload(config, now.config);
      certificates.set(settings, next);
      for (const line of [...now.warnings, ...warnings]) log.warn(line);
      return settings;
    };
    const primary = new Primary({ settings: first.settings, log });
    const reloads = new Reloads(primary, reread, log);
    const loopDelay = new EventLoopDelay();
    const stats = (): Promise<PrimaryStats> => collectStats(primary, reloads, loopDelay.read().p99Ms);
    const admin = createAdminServer({
      host: config.adminHost,
      port: config.adminPort,
      ready: () => {
        const reason = primary.unreadiness;
        return reason === undefined ? { ready: true } : { ready: false, reason };
      },
      metrics: async () => gatewayMetrics(await stats(), certificates.get(primary.settings)),
      routes: { '/api/v1/stats': stats },
      onError: (error, path) => log.error({ error, path }, 'admin port failed'),
    });
    try {
      await listenAt(admin, config.adminHost, config.adminPort, '--admin-port');
      const ended = runUntilSignal({
        drain: () => primary.drain({ ...drainOf(primary.settings), reason: 'going_away' }),
        reload: async () => {
          await reloads.ask();
          log.adjust(primary.settings.worker.log);
        },
        log,
        get deadlineMs() {
          const { delayMs, windowMs } = drainOf(primary.settings);
          return delayMs + windowMs + DRAIN_GRACE_MS;
        },
      });
      const start = { listen: () => primary.start() };
      const address = await listenAt(start, config.host, config.port, '--port');
      // A signal may arrive before the workers listen; then they never will.
      if (address !== undefined) {
        await announceGateway(primary, { ...context, log, logFormat: config.logFormat });
      }
      return await ended;
    } finally {
      await primary.drain({ delayMs: 0, windowMs: 0, reason: 'going_away' });
      await admin.close();
      loopDelay.close();
    }
  },
};

function drainOf({ drainDelayMs, worker }: GatewaySettings): { delayMs: number; windowMs: number } {
  return { delayMs: drainDelayMs, windowMs: worker.drainMs };
}
