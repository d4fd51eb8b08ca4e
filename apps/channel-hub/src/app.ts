import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import {
  announceStart,
  type Command,
  ConfigError,
  createAdminServer,
  createLogger,
  EventLoopDelay,
  formatAddress,
  type Log,
  listenAt,
  runUntilSignal,
  START_EXIT_CODES,
} from '@groupcast/service';
import { hubMetrics } from './admin/metrics.ts';
import { type HubReport, hubReport } from './admin/stats.ts';
import { limitLog } from './cli/limited-log.ts';
import { prepareHub } from './cli/prepare.ts';
import { reloadFiles } from './cli/reload-files.ts';
import type { HubConfig } from './config.ts';
import { createHub, type Hub } from './hub.ts';
import { HubError } from './hub-error.ts';
import { busyShareOfLoop, collectNow, IdleCollector } from './idle-collector.ts';
import { warmUp } from './warm-up.ts';

/**
 * Time after the window of a drain until the process exits, in milliseconds. Until then peers
 * receive their buffers.
 */
const CLOSE_DEADLINE_MS = 10_000;

/**
 * Growth of the old generation until V8 collects all of it, in percent. V8 counts the bytes that
 * the hub has read as well, and chooses as little as 10 % for a small heap under load. Then it
 * collects all garbage 15 times a second, before the young generation is full, and each message
 * costs twice as much for the life of the process. From 300 % on, the young generation is full
 * first. V8 itself chooses up to 300 % for an idle process, and never more than half of the rest of
 * the maximum.
 */
const HEAP_GROWTH_PERCENT = 300;

export const startCommand: Command<HubConfig> = {
  summary: 'Run the hub.',
  exitCodes: START_EXIT_CODES,
  run: async (config, context) => {
    setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
    const { options, warnings, certificates: first } = prepareHub(config);
    let certificates = first;
    const log = createLogger({ name: 'groupcast-hub', level: config.logLevel, format: config.logFormat });
    for (const line of [...context.warnings, ...warnings]) log.warn(line);
    if (options.namespaces !== undefined) {
      const { length: namespaces } = options.namespaces;
      log.info({ file: config.namespacesFile, namespaces }, 'Namespaces file read');
    }
    const limited = limitLog(log);
    // No peer is connected yet: a signal during the warm-up ends the process at once.
    await warmUpOrLog(config, log);
    const hub = createHub({ ...options, log: limited.log });
    const loopDelay = new EventLoopDelay();
    const collector = new IdleCollector({
      historyBytes: () => hub.stats().history.bytes,
      busyShare: busyShareOfLoop(),
      collect: (freedBytes) => {
        const beganMs = performance.now();
        collectNow();
        const ms = Math.round(performance.now() - beganMs);
        log.debug({ freedBytes, ms }, 'collected the garbage of expired history');
      },
    });
    let listen = '';
    const stats = async (): Promise<HubReport> => hubReport(hub, listen, loopDelay.read().p99Ms);
    const admin = createAdminServer({
      host: config.adminHost,
      port: config.adminPort,
      ready: () => (listen === '' ? { ready: false, reason: 'the hub does not listen' } : { ready: true }),
      metrics: async () => hubMetrics(await stats(), certificates),
      routes: { '/api/v1/stats': stats },
      onError: (error, path) => log.error({ error, path }, 'admin port failed'),
    });
    const windowMs = Math.round(config.drainSeconds * 1_000);
    const drain = (): Promise<void> => {
      // First `/readyz` fails, then the port closes, then peers are asked to leave.
      listen = '';
      return hub.drain({ windowMs });
    };
    // Before the hub listens, so that a signal in between closes it gracefully too.
    const reload = (): void => {
      certificates = reloadFiles(hub, context, log) ?? certificates;
    };
    const ended = runUntilSignal({ drain, reload, log, deadlineMs: windowMs + CLOSE_DEADLINE_MS });
    try {
      const { port } = await listenForPeers(hub, config);
      await listenAt(admin, config.adminHost, config.adminPort, '--admin-port');
      const addresses = config.host.map((host) => `frame://${formatAddress(host, port)}`);
      listen = addresses.join(', ');
      const listens = config.unixSocket === '' ? addresses : [...addresses, `unix://${config.unixSocket}`];
      const rows = listens.map((address) => ({ worker: 'ChannelHub', listen: address, processes: 1 }));
      announceStart(rows, { ...context, log, logFormat: config.logFormat });
      return await ended;
    } finally {
      await hub.close();
      await admin.close();
      loopDelay.close();
      collector.close();
      limited.close();
    }
  },
};

/** Warms up. A hub whose warm-up failed works too, only more slowly at first. */
async function warmUpOrLog({ warmUpMs: maxMs, directSockets }: HubConfig, log: Log): Promise<void> {
  try {
    await warmUp({ directSockets, maxMs });
  } catch (error) {
    log.warn({ error }, 'Warm-up failed; the first messages take longer');
  }
}

async function listenForPeers(hub: Hub, config: HubConfig): Promise<AddressInfo> {
  try {
    return await listenAt(hub, config.host, config.port, '--port');
  } catch (cause) {
    if (!(cause instanceof HubError)) throw cause;
    throw new ConfigError([cause.message], { cause });
  }
}
