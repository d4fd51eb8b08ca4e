import type { SendHandle } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import type { AddressInfo } from 'node:net';
import type { AcceptCounts, Acceptor } from './balance/accept-balancer.ts';
import type { PortHandle } from './balance/shared-port.ts';
import type { HubProblem } from './hub-failures.ts';
import type { DrainOrder, FromWorker, ToWorker, WorkerOptions, WorkerReport } from './messages.ts';
import { RestartBackoff, type RestartBackoffOptions } from './restart-backoff.ts';
import { workerFlags } from './worker-flags.ts';

/**
 *     starting -> up -> retired -> draining -> gone
 *        ^         |
 *        +- waiting (after a death, for the backoff)
 *
 * A drain may come in any state. `retired`: it accepts no more connections, and has no successor
 * when it dies.
 */
export type WorkerSlotState = 'starting' | 'up' | 'retired' | 'draining' | 'waiting' | 'gone';

/** Receiver of the events of a slot. */
export interface WorkerSlotEvents {
  listening(slot: WorkerSlot, address: AddressInfo): void;
  failed(slot: WorkerSlot, code: string, message: string): void;
  accepted(slot: WorkerSlot, counts: AcceptCounts): void;
  /** The process has ended; `report` is its last one. */
  ended(report: WorkerReport): void;
  /** It is connected to the hub, or has ended, or, with a problem, is not connected. */
  hub(slot: WorkerSlot, problem: HubProblem | undefined): void;
  report(message: Extract<FromWorker, { type: 'report' }>): void;
  /** Without `restartMs` there is no successor. */
  died(slot: WorkerSlot, how: string, restartMs?: number): void;
  hangs(slot: WorkerSlot): void;
  /** A readable property has changed. */
  changed(): void;
}

/**
 * Longest silence of a worker, in milliseconds. Workers send a beat every second; a silent one
 * hangs and is killed.
 */
const HUNG_MS = 15_000;

/** Longest time to load the program, on a busy machine, in milliseconds. */
const START_MS = 60_000;

/**
 * One of N places for workers: starts a process, watches it, and starts the next one when it dies.
 */
export class WorkerSlot implements Acceptor {
  readonly #options: WorkerOptions;
  readonly #events: WorkerSlotEvents;
  readonly #backoff: RestartBackoff;
  #state: WorkerSlotState = 'waiting';
  #worker: Worker | undefined;
  /** One for each port, in the order of `listenAddresses`; none without handles. */
  #handles: readonly PortHandle[] = [];
  #mayListen = false;
  #isHealthy = true;
  #isReady = false;
  #loaded = false;
  #linked = false;
  #triedHub = false;
  #lastReport: WorkerReport | undefined;
  #listens = false;
  #restarts = 0;
  #startedAtMs = 0;
  #silentMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #drainOrder: DrainOrder | undefined;

  constructor(options: WorkerOptions, events: WorkerSlotEvents, backoff: RestartBackoffOptions) {
    this.#options = options;
    this.#events = events;
    this.#backoff = new RestartBackoff(backoff);
  }

  /** Number of the place among those of its generation. */
  get index(): number {
    return this.#options.index;
  }

  get state(): WorkerSlotState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#worker?.process.pid;
  }

  /** Whether its program is loaded and receives messages. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** Whether it has reached the hub at least once. */
  get linked(): boolean {
    return this.#linked;
  }

  /** Whether its first attempt to reach the hub has an outcome. */
  get triedHub(): boolean {
    return this.#triedHub;
  }

  /** Last report of the running process. */
  get lastReport(): WorkerReport | undefined {
    return this.#lastReport;
  }

  /** Whether connections may still reach it. */
  get listens(): boolean {
    return this.#listens;
  }

  /** Number of processes started after the first. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Starts the first process, which accepts connections when it is loaded, or not before `listen`.
   * It accepts from the handles, or without any through the cluster module.
   */
  start(listen: boolean, handles: readonly PortHandle[] = []): void {
    this.#handles = handles;
    this.#mayListen = listen;
    this.#fork();
  }

  /** Lets this worker and its successors accept connections. */
  listen(): void {
    if (this.#mayListen) return;
    this.#mayListen = true;
    // A worker that is still loading gets the order with `start`.
    this.send({ type: 'listen' });
  }

  /** Returns whether there is a worker that receives the message: a loading one does not. */
  send(message: ToWorker): boolean {
    return this.#send(message, message.type === 'listen' || (message.type === 'start' && message.listen));
  }

  #send(message: ToWorker, withHandles: boolean): boolean {
    const worker = this.#worker;
    if (worker === undefined || !this.#loaded || !worker.isConnected()) return false;
    // The send to a dying worker fails; its `exit` event has the same effect.
    const sent = (error: Error | null): void => {
      if (error !== null) this.#died(worker, error.message);
    };
    const [first, ...others] = withHandles ? this.#handles : [];
    if (first === undefined) worker.send(message, sent);
    // The types know handles only as the classes around them.
    else worker.send(message, first as SendHandle, sent);
    for (const [index, handle] of others.entries()) {
      worker.send({ type: 'port', at: index + 1 } satisfies ToWorker, handle as SendHandle, sent);
    }
    return true;
  }

  allow(upTo: number, isPaused: boolean): void {
    const message: ToWorker = Number.isFinite(upTo) ? { type: 'allow', upTo } : { type: 'allow' };
    this.#send(message, isPaused);
  }

  ask(): void {
    this.send({ type: 'ask' });
  }

  /** Stops accepting; `listens` becomes false then. Ends a worker that is not up yet. */
  retire(): void {
    if (this.#state === 'up') {
      this.#become('retired');
      this.send({ type: 'retire' });
    } else if (this.#state !== 'retired') {
      this.drain({ windowMs: 0, reason: 'restart', handshakes: 'accept' });
    }
  }

  /** Makes health checks on the port fail, also on its successors. */
  failHealth(): void {
    this.#isHealthy = false;
    this.send({ type: 'fail_health' });
  }

  /** Tells the worker, and its successors, whether the gateway is ready. */
  setReady(isReady: boolean): void {
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    this.send({ type: 'ready', isReady });
  }

  /** Ends the worker gracefully, without a successor. The first order counts. */
  drain(order: DrainOrder): void {
    clearTimeout(this.#restartTimer);
    if (this.#state === 'draining' || this.#state === 'gone') return;
    this.#drainOrder = order;
    this.#become(this.#worker === undefined ? 'gone' : 'draining');
    // A loading worker gets the order when it is loaded. A worker without a channel is ending.
    this.send({ type: 'drain', order });
  }

  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }

  /**
   * Called once a second. Counts the seconds in which the primary itself ran, so that a suspended
   * primary does not kill its workers.
   */
  tick(tickMs: number): void {
    if (this.#state !== 'starting' && this.#state !== 'up' && this.#state !== 'retired') return;
    this.#silentMs += tickMs;
    if (this.#silentMs <= (this.#state === 'starting' ? START_MS : HUNG_MS)) return;
    this.#events.hangs(this);
    this.kill();
  }

  #fork(): void {
    this.#silentMs = 0;
    this.#startedAtMs = performance.now();
    this.#become('starting');
    let worker: Worker;
    try {
      cluster.setupPrimary({ execArgv: workerFlags(process.execArgv, process.env['NODE_OPTIONS']) });
      worker = cluster.fork();
    } catch (error) {
      // The machine has no memory for another process. Most other errors emit `error`.
      this.#restartLater(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    // A process that could not be spawned emits `error` and no `exit`. A killed one emits only
    // `exit`.
    worker.on('error', (error) => this.#died(worker, error.message));
    worker.on('exit', (code, signal) =>
      this.#died(worker, signal ? `signal ${signal}` : `exit code ${code}`),
    );
  }

  #receive(message: FromWorker): void {
    this.#silentMs = 0;
    switch (message.type) {
      case 'loaded':
        this.#greet();
        return;
      case 'listening':
        this.#listens = true;
        this.#events.listening(this, message.address);
        this.#become(this.#state === 'starting' ? 'up' : this.#state);
        return;
      case 'failed':
        this.#events.failed(this, message.code, message.message);
        return;
      case 'accepted':
        this.#events.accepted(this, message);
        return;
      case 'retired':
        this.#listens = false;
        this.#events.changed();
        return;
      case 'beat':
        if (this.#linked || !message.linked) return;
        this.#linked = true;
        this.#events.changed();
        return;
      case 'hub':
        this.#triedHub = true;
        this.#events.hub(this, message.problem);
        this.#events.changed();
        return;
      case 'report':
        this.#lastReport = message.report;
        this.#events.report(message);
        return;
    }
  }

  #greet(): void {
    this.#loaded = true;
    // An earlier order to drain was not sent. Without it, a gateway would start.
    if (this.#drainOrder !== undefined) this.send({ type: 'drain', order: this.#drainOrder });
    else {
      this.send({ type: 'start', options: this.#options, listen: this.#mayListen });
      if (!this.#isHealthy) this.send({ type: 'fail_health' });
      if (this.#isReady) this.send({ type: 'ready', isReady: true });
    }
    this.#events.changed();
  }

  #died(worker: Worker, how: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#loaded = false;
    this.#linked = false;
    this.#listens = false;
    this.#events.hub(this, undefined);
    if (this.#lastReport !== undefined) this.#events.ended(this.#lastReport);
    this.#lastReport = undefined;
    // If only the channel broke, the process must not live on beside its successor.
    worker.process.kill('SIGKILL');
    if (this.#state === 'retired') this.#events.died(this, how);
    if (this.#state === 'draining' || this.#state === 'retired') this.#become('gone');
    else this.#restartLater(how);
  }

  #restartLater(how: string): void {
    this.#become('waiting');
    const restartMs = this.#backoff.next(performance.now() - this.#startedAtMs);
    this.#restartTimer = setTimeout(() => {
      this.#restarts += 1;
      this.#fork();
    }, restartMs);
    this.#events.died(this, how, restartMs);
  }

  #become(state: WorkerSlotState): void {
    this.#state = state;
    this.#events.changed();
  }
}
