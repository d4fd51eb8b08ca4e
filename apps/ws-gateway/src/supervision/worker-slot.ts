import cluster, { type Worker } from 'node:cluster';
import type { AddressInfo } from 'node:net';
import type { CloseReason } from '@groupcast/protocol';
import type { FromWorker, ToWorker } from './messages.ts';
import { RestartBackoff, type RestartBackoffOptions } from './restart-backoff.ts';
import type { WorkerOptions } from './worker-options.ts';

/**
 *     starting -> up -> draining -> gone
 *        ^         |
 *        +- waiting (after a death, for the backoff)
 */
export type WorkerSlotState = 'starting' | 'up' | 'draining' | 'waiting' | 'gone';

/** What a slot tells the primary. */
export interface WorkerSlotEvents {
  listening(slot: WorkerSlot, address: AddressInfo): void;
  failed(slot: WorkerSlot, code: string, message: string): void;
  report(message: Extract<FromWorker, { type: 'report' }>): void;
  died(slot: WorkerSlot, how: string, restartMs: number): void;
  hangs(slot: WorkerSlot): void;
  gone(slot: WorkerSlot): void;
}

/** A worker says so every second; one that is silent for this long hangs, and is killed. */
const HUNG_MS = 15_000;

/** Loading the program takes its time on a busy machine. */
const START_MS = 60_000;

/** One of the N places for workers: starts a process, watches it, and starts the next one when it dies. */
export class WorkerSlot {
  readonly #options: WorkerOptions;
  readonly #events: WorkerSlotEvents;
  readonly #backoff: RestartBackoff;
  #state: WorkerSlotState = 'waiting';
  #worker: Worker | undefined;
  #linked = false;
  #restarts = 0;
  #startedAtMs = 0;
  #silentMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #drainOrder: Extract<ToWorker, { type: 'drain' }> | undefined;

  constructor(options: WorkerOptions, events: WorkerSlotEvents, backoff: RestartBackoffOptions) {
    this.#options = options;
    this.#events = events;
    this.#backoff = new RestartBackoff(backoff);
  }

  /** Its place among the workers, from 0. */
  get index(): number {
    return this.#options.index;
  }

  get state(): WorkerSlotState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#worker?.process.pid;
  }

  /** Whether it listens and has reached the hub at least once. */
  get serves(): boolean {
    return this.#state === 'up' && this.#linked;
  }

  /** Processes started after the first. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Does nothing once the slot was drained. */
  start(): void {
    if (this.#state === 'gone') return;
    this.#state = 'starting';
    this.#linked = false;
    this.#silentMs = 0;
    this.#startedAtMs = performance.now();
    let worker: Worker;
    try {
      worker = cluster.fork();
    } catch (error) {
      // A machine without memory for another process: of most other troubles `error` tells.
      this.#restartLater(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    // A process that could not be spawned emits `error` and no `exit`; one that runs and is killed only `exit`.
    worker.on('error', (error) => this.#died(worker, error.message));
    worker.on('exit', (code, signal) =>
      this.#died(worker, signal ? `signal ${signal}` : `exit code ${code}`),
    );
  }

  /** Whether there is a worker that could be told. */
  send(message: ToWorker): boolean {
    const worker = this.#worker;
    if (worker === undefined || !worker.isConnected()) return false;
    // A worker that dies in this moment makes the send fail; its `exit` says so as well.
    worker.send(message, (error) => error !== null && this.#died(worker, error.message));
    return true;
  }

  /** Ends the worker in good order, and starts no other. */
  drain(windowMs: number, reason: CloseReason): void {
    clearTimeout(this.#restartTimer);
    if (this.#state === 'gone') return;
    this.#state = 'draining';
    this.#drainOrder = { type: 'drain', windowMs, reason };
    if (!this.send(this.#drainOrder)) this.#finish();
  }

  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }

  /** Called once a second. Counts seconds of the primary's own life, so that a paused primary does not accuse its workers. */
  tick(tickMs: number): void {
    if (this.#state !== 'starting' && this.#state !== 'up') return;
    this.#silentMs += tickMs;
    if (this.#silentMs <= (this.#state === 'up' ? HUNG_MS : START_MS)) return;
    this.#events.hangs(this);
    this.kill();
  }

  #receive(message: FromWorker): void {
    this.#silentMs = 0;
    switch (message.type) {
      case 'loaded':
        // An order to drain that came earlier was lost; without it a gateway would start that is to end.
        this.send(this.#drainOrder ?? { type: 'start', options: this.#options });
        return;
      case 'listening':
        if (this.#state === 'starting') this.#state = 'up';
        this.#events.listening(this, message.address);
        return;
      case 'failed':
        this.#events.failed(this, message.code, message.message);
        return;
      case 'beat':
        this.#linked ||= message.linked;
        return;
      case 'report':
        this.#events.report(message);
        return;
    }
  }

  #died(worker: Worker, how: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    // Where only the channel to it broke, the process must not live on beside its successor.
    worker.process.kill('SIGKILL');
    if (this.#state === 'draining') {
      this.#finish();
      return;
    }
    this.#restartLater(how);
  }

  #restartLater(how: string): void {
    this.#state = 'waiting';
    const restartMs = this.#backoff.next(performance.now() - this.#startedAtMs);
    this.#restartTimer = setTimeout(() => {
      this.#restarts += 1;
      this.start();
    }, restartMs);
    this.#events.died(this, how, restartMs);
  }

  #finish(): void {
    this.#state = 'gone';
    this.#events.gone(this);
  }
}
