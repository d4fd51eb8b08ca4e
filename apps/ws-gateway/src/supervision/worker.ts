import cluster, { type Worker } from 'node:cluster';
import { HubClient } from '@groupcast/hub-client';
import type { CloseReason } from '@groupcast/protocol';
import { createLogger, EventLoopDelay, type Logger, LogLimiter } from '@groupcast/service';
import { createGateway, type Gateway } from '../gateway.ts';
import { BEAT_MS, type FromWorker, type ToWorker } from './messages.ts';
import type { WorkerOptions } from './worker-options.ts';
import type { WorkerReport } from './worker-report.ts';

/**
 * Without the primary there is nobody to restart what dies, and its successor needs the port: clients are sent to it
 * quickly, but not all at once.
 */
const ORPHAN_DRAIN_MS = 3_000;

/** The worker's side of the supervision: does what the primary says, and outlives it in good order. */
class WorkerProcess {
  readonly #worker: Worker;
  readonly #loopDelay = new EventLoopDelay();
  readonly #beat: NodeJS.Timeout;
  #log: Logger | undefined;
  #gateway: Gateway | undefined;
  #hub: HubClient | undefined;
  #index = 0;
  #linked = false;
  #drainMs = 0;
  #draining = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: ToWorker) => this.#receive(message));
    worker.on('disconnect', () => this.#orphaned());
    this.#beat = setInterval(() => this.#tell({ type: 'beat', linked: this.#linked }), BEAT_MS);
    this.#tell({ type: 'loaded' });
    // A terminal sends Ctrl-C to the whole process group: the primary is the one who acts on it.
    process.on('SIGINT', () => {});
    process.on('SIGHUP', () => {});
    process.on('SIGTERM', () => void this.#drain(this.#drainMs, 'restart'));
  }

  #receive(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        void this.#start(message.options);
        return;
      case 'report':
        this.#report(message.request);
        return;
      case 'drain':
        void this.#drain(message.windowMs, message.reason);
        return;
    }
  }

  async #start(options: WorkerOptions): Promise<void> {
    this.#index = options.index;
    this.#drainMs = options.drainMs;
    const bindings = { role: 'worker', worker: options.index };
    const log = createLogger({ name: 'groupcast-gateway', ...options.log, bindings });
    const { host, port } = options.hub;
    const name = `gateway worker ${options.index} pid ${process.pid}`;
    const hub = new HubClient({ host, port, secret: options.secret, tls: options.hubTls, name });
    hub.on('state', (state, error) => {
      if (state === 'open') log.info({ hub: `${host}:${port}` }, 'hub reached');
      else if (state === 'waiting')
        log.warn({ code: error?.code }, error?.message ?? 'the hub closed the link');
      this.#linked ||= state === 'open';
    });
    // Clients can bring about any number of them.
    const refusals = new LogLimiter({
      report: (code, heldBack) => log.error({ code, heldBack }, 'hub refused more subscriptions'),
    });
    hub.on('refused', (subjects, error) => {
      if (!refusals.take(error.code)) return;
      log.error({ code: error.code, count: subjects.length }, `hub refused a subscription: ${error.message}`);
    });
    const gateway = createGateway({ ...options.gateway, hub, log });
    this.#log = log;
    this.#hub = hub;
    this.#gateway = gateway;
    hub.connect();
    try {
      this.#tell({ type: 'listening', address: await gateway.listen() });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      this.#tell({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
      await this.#drain(0, 'internal_error');
    }
  }

  #report(request: number): void {
    if (this.#gateway === undefined || this.#hub === undefined) return;
    const report: WorkerReport = {
      index: this.#index,
      pid: process.pid,
      state: this.#draining ? 'draining' : 'up',
      uptimeSeconds: Math.round(process.uptime()),
      memoryBytes: process.memoryUsage.rss(),
      loopDelayMs: this.#loopDelay.read().p99Ms,
      ...this.#gateway.stats(),
      hub: this.#hub.stats(),
    };
    this.#tell({ type: 'report', request, report });
  }

  /** The primary is gone. By default the cluster module would exit here, and every client would see a bare end of file. */
  #orphaned(): void {
    this.#worker.exitedAfterDisconnect = true;
    if (this.#draining) return;
    this.#log?.error({ drainMs: ORPHAN_DRAIN_MS }, 'the primary is gone; this worker drains and ends');
    void this.#drain(ORPHAN_DRAIN_MS, 'restart');
  }

  async #drain(windowMs: number, reason: CloseReason): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    await this.#gateway?.drain({ windowMs, reason });
    await this.#gateway?.close();
    this.#hub?.close();
    this.#loopDelay.close();
    clearInterval(this.#beat);
    process.exit(0);
  }

  #tell(message: FromWorker): void {
    // With the channel gone there is nobody to tell; `disconnect` acts on that.
    if (this.#worker.isConnected()) this.#worker.send(message, () => {});
  }
}

/** Runs this process as a worker. Call it in the process that the cluster module forked, and nowhere else. */
export function runWorker(): void {
  if (cluster.worker === undefined) throw new Error('This process is not a worker.');
  new WorkerProcess(cluster.worker);
}
