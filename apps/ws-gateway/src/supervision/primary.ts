import cluster from 'node:cluster';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { CloseReason } from '@groupcast/protocol';
import type { Log } from '@groupcast/service';
import { Reports } from './reports.ts';
import { RESTART_BACKOFF_DEFAULTS, type RestartBackoffOptions } from './restart-backoff.ts';
import type { WorkerOptions } from './worker-options.ts';
import type { WorkerReport } from './worker-report.ts';
import { WorkerSlot, type WorkerSlotEvents } from './worker-slot.ts';

export interface PrimaryOptions {
  /** Number of worker processes. */
  readonly workers: number;
  /** The same for all. */
  readonly worker: Omit<WorkerOptions, 'index'>;
  readonly log: Log;
  readonly restart?: RestartBackoffOptions;
}

/** A worker could not listen at all: an address that is taken, or may not be used. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** Node's error code: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
  readonly code: string;
  readonly syscall = 'listen';

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const TICK_MS = 1_000;
const REPORT_MS = 1_000;

/** Beyond the window of a drain, for the close handshakes and the exits, in milliseconds. */
const STRAGGLER_MS = 7_000;

export type PrimaryState = 'starting' | 'up' | 'draining' | 'gone';

/** The process that holds no connection: it starts the workers, watches them, and asks them how they are. */
export class Primary {
  readonly #log: Log;
  readonly #slots: WorkerSlot[];
  readonly #address: { readonly host: string; readonly port: number };
  readonly #reports = new Reports();
  // Whoever ends this process in a drain has lost patience. When it ends because of a defect, workers close their connections
  // in good order by themselves, as they do when it is killed.
  readonly #killAll = (): void => {
    if (this.#state !== 'draining') return;
    for (const slot of this.#slots) slot.kill();
  };
  #ticker: NodeJS.Timeout | undefined;
  #state: PrimaryState = 'starting';
  #allListening: ((address: AddressInfo) => void) | undefined;
  #notListening: ((error: ListenError) => void) | undefined;
  #allGone: (() => void) | undefined;

  constructor(options: PrimaryOptions) {
    this.#log = options.log;
    this.#address = options.worker.gateway;
    const backoff = options.restart ?? RESTART_BACKOFF_DEFAULTS;
    const events: WorkerSlotEvents = {
      listening: (slot, address) => this.#listening(slot, address),
      failed: (slot, code, message) => this.#failed(slot, code, message),
      report: ({ request, report }) => this.#reports.receive(request, report),
      died: (slot, how, restartMs) => this.#died(slot, how, restartMs),
      hangs: (slot) => this.#log.error({ workerPid: slot.pid }, 'worker hangs and is killed'),
      gone: () => this.#checkGone(),
    };
    this.#slots = Array.from({ length: options.workers }, (_, index) => {
      return new WorkerSlot({ ...options.worker, index }, events, backoff);
    });
  }

  /** Resolves when every worker listens. Rejects with a ListenError when the address cannot be had. */
  async start(): Promise<AddressInfo> {
    const { host, port } = this.#address;
    cluster.schedulingPolicy = cluster.SCHED_RR;
    process.on('exit', this.#killAll);
    this.#ticker = setInterval(() => {
      for (const slot of this.#slots) slot.tick(TICK_MS);
    }, TICK_MS);
    await probe(host, port);
    return new Promise((resolve, reject) => {
      this.#allListening = resolve;
      this.#notListening = reject;
      for (const slot of this.#slots) slot.start();
    });
  }

  /** Why it is not ready to serve, or `undefined` when it is. */
  get unreadiness(): string | undefined {
    if (this.#state !== 'up') return `the gateway is ${this.#state}`;
    const serving = this.#slots.filter((slot) => slot.serves).length;
    // With fewer than half, those that are left would be overrun.
    if (2 * serving >= this.#slots.length) return undefined;
    return `${serving} of ${this.#slots.length} workers listen and have reached the hub`;
  }

  get state(): PrimaryState {
    return this.#state;
  }

  get restarts(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.restarts, 0);
  }

  /** What the workers say of themselves; those that do not answer within a second are left out. */
  report(): Promise<WorkerReport[]> {
    return this.#reports.collect((request) => {
      return this.#slots.filter((slot) => slot.send({ type: 'report', request })).length;
    }, REPORT_MS);
  }

  /** Closes all connections evenly over the window and ends the workers; those that do not end are killed. */
  async drain(windowMs: number, reason: CloseReason): Promise<void> {
    if (this.#state === 'gone') return;
    this.#state = 'draining';
    clearInterval(this.#ticker);
    const killer = setTimeout(() => this.#killStragglers(), windowMs + STRAGGLER_MS);
    await new Promise<void>((resolve) => {
      this.#allGone = resolve;
      for (const slot of this.#slots) slot.drain(windowMs, reason);
      this.#checkGone();
    });
    clearTimeout(killer);
    process.off('exit', this.#killAll);
  }

  #listening(slot: WorkerSlot, address: AddressInfo): void {
    this.#log.info({ workerPid: slot.pid, address: address.address, port: address.port }, 'worker listens');
    if (this.#state !== 'starting' || this.#slots.some(({ state }) => state !== 'up')) return;
    this.#state = 'up';
    this.#allListening?.(address);
  }

  #failed(slot: WorkerSlot, code: string, message: string): void {
    if (this.#state === 'starting') this.#notListening?.(new ListenError(code, message));
    else this.#log.error({ workerPid: slot.pid, code }, message);
  }

  #died(slot: WorkerSlot, how: string, restartMs: number): void {
    this.#log.error(
      { worker: slot.index, restarts: slot.restarts, restartMs },
      `worker died of ${how}, the next one starts`,
    );
  }

  #checkGone(): void {
    if (this.#state !== 'draining' || this.#slots.some(({ state }) => state !== 'gone')) return;
    this.#state = 'gone';
    this.#allGone?.();
  }

  #killStragglers(): void {
    for (const slot of this.#slots) {
      if (slot.state === 'gone') continue;
      this.#log.warn({ workerPid: slot.pid }, 'worker did not end in time and is killed');
      slot.kill();
    }
  }
}

/** Finds an address that cannot be had at once, and not only after the workers have been loaded. */
async function probe(host: string, port: number): Promise<void> {
  const server = createServer().listen({ host, port });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
