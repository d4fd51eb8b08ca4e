import type { AddressInfo } from 'node:net';
import type { Log } from '@groupcast/service';
import { AcceptBalancer } from './balance/accept-balancer.ts';
import type { PortHandle, SharedPort } from './balance/shared-port.ts';
import { ListenError, ReloadError } from './errors.ts';
import type { HubFailures } from './hub-failures.ts';
import type { DrainOrder, ToWorker, WorkerOptions, WorkerReport } from './messages.ts';
import type { RestartBackoffOptions } from './restart-backoff.ts';
import { WorkerSlot, type WorkerSlotEvents } from './worker-slot.ts';

/** Settings of a gateway, which a reload replaces. */
export interface GatewaySettings {
  /** Number of worker processes. */
  readonly workers: number;
  /** Time at the end during which the gateway is not ready and still serves, in milliseconds. */
  readonly drainDelayMs: number;
  /** Options that all workers share. */
  readonly worker: Omit<WorkerOptions, 'index'>;
}

export interface GenerationOptions {
  readonly settings: GatewaySettings;
  readonly log: Log;
  readonly hubFailures: HubFailures;
  readonly restart: RestartBackoffOptions;
  /** Deaths after which a start beside another generation fails. */
  readonly deathsMax: number;
  report(request: number, report: WorkerReport): void;
  /** Called with the last report of each process that has ended. */
  ended(report: WorkerReport): void;
}

/** Time beyond the window of a drain for close handshakes and exits, in milliseconds. */
const STRAGGLER_MS = 7_000;

/**
 * Time for workers to confirm that they have stopped accepting, in milliseconds. A hung worker does
 * not.
 */
const RETIRE_MS = 2_000;

/** Workers that were started with the same settings. */
export class Generation {
  readonly settings: GatewaySettings;
  readonly #log: Log;
  readonly #slots: readonly WorkerSlot[];
  readonly #balancer = new AcceptBalancer<WorkerSlot>();
  readonly #waiters = new Set<() => void>();
  #isUp = false;
  #failure: Error | undefined;
  #deaths = 0;
  #hubExcused = false;
  #handles: readonly PortHandle[] = [];
  #address: AddressInfo | undefined;

  constructor(options: GenerationOptions) {
    const { settings, log, hubFailures, restart, deathsMax } = options;
    this.settings = settings;
    this.#log = log;
    const events: WorkerSlotEvents = {
      listening: (slot, address) => this.#listening(slot, address),
      failed: (slot, code, message) => this.#failed(slot, code, message),
      accepted: (slot, counts) => {
        this.#balancer.report(slot, counts);
      },
      hub: (slot, problem) => {
        if (problem === undefined) hubFailures.settled(slot);
        else hubFailures.failed(slot, problem);
      },
      report: (message) => options.report(message.request, message.report),
      ended: (report) => options.ended(report),
      died: (slot, how, restartMs) => {
        this.#deaths += 1;
        if (this.#deaths >= deathsMax) this.fail(workersDie(how));
        logDeath(log, slot, how, restartMs);
      },
      hangs: (slot) => log.error({ workerPid: slot.pid }, 'worker hangs and is killed'),
      changed: () => this.#changed(),
    };
    this.#slots = Array.from(
      { length: settings.workers },
      (_, index) => new WorkerSlot({ ...settings.worker, index }, events, restart),
    );
  }

  /** Address on which it listens; `undefined` before it does. */
  get address(): AddressInfo | undefined {
    return this.#address;
  }

  /** Last reports of its running processes. */
  get lastReports(): readonly WorkerReport[] {
    return this.#slots.flatMap(({ lastReport }) => (lastReport === undefined ? [] : [lastReport]));
  }

  /**
   * Number of workers that accept connections and have reached the hub once, or are excused from
   * it.
   */
  get serving(): number {
    const serves = ({ state, linked }: WorkerSlot): boolean => state === 'up' && (linked || this.#hubExcused);
    return this.#slots.filter(serves).length;
  }

  get hasReachedHub(): boolean {
    return this.#slots.every(({ linked }) => linked);
  }

  get restarts(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.restarts, 0);
  }

  /** Starts the workers. They listen immediately, or not before `allListening`. */
  start(listen: boolean, ports: readonly SharedPort[]): void {
    this.#handles = ports.flatMap(({ handle }) => handle ?? []);
    for (const slot of this.#slots) slot.start(listen, this.#handles);
  }

  /**
   * Waits until all workers have loaded the program. This and the next three resolve with whether
   * that happened in time, and reject when it cannot happen.
   */
  allLoaded(timeoutMs: number): Promise<boolean> {
    return this.#comesUp(({ loaded }) => loaded, timeoutMs);
  }

  /** Waits until all workers have reached the hub. */
  allLinked(timeoutMs: number): Promise<boolean> {
    return this.#comesUp(({ linked }) => linked, timeoutMs);
  }

  /** Waits until all workers have reached the hub or failed to. */
  allTriedHub(timeoutMs: number): Promise<boolean> {
    return this.#comesUp(({ triedHub }) => triedHub, timeoutMs);
  }

  /**
   * Makes all workers listen, and waits for it. From then on the generation cannot fail as a whole.
   */
  async allListening(timeoutMs: number): Promise<boolean> {
    for (const slot of this.#slots) slot.listen();
    const isUp = await this.#comesUp(({ state }) => state === 'up', timeoutMs);
    this.#isUp ||= isUp;
    return isUp;
  }

  /** Counts workers as serving without the hub, until all of them have reached it. */
  excuseHub(): void {
    this.#hubExcused = true;
  }

  /** Makes all waits for the start of the generation reject with the error. */
  fail(error: Error): void {
    if (this.#isUp) return;
    this.#failure ??= error;
    this.#changed();
  }

  /** Makes health checks on the port fail, also on workers that start later. */
  failHealth(): void {
    for (const slot of this.#slots) slot.failHealth();
  }

  /** Tells the workers whether the gateway is ready, for health checks on the port. */
  setReady(isReady: boolean): void {
    for (const slot of this.#slots) slot.setReady(isReady);
  }

  /** Stops accepting. Resolves when all workers have confirmed that, or have not in time. */
  async retire(): Promise<void> {
    for (const slot of this.#slots) slot.retire();
    if (await this.#comesTrue(() => this.#slots.every(({ listens }) => !listens), RETIRE_MS)) return;
    this.#log.warn({ retireMs: RETIRE_MS }, 'a worker did not confirm that it stopped listening');
  }

  /**
   * Ends all workers gracefully and at the same time. Kills those that do not end. Resolves when
   * all are gone.
   */
  async drain(order: DrainOrder): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#drainSlot(slot, order)));
  }

  /** Ends the workers gracefully, one after another, each over the window of the order. */
  async drainInTurn(order: DrainOrder): Promise<void> {
    for (const slot of this.#slots) await this.#drainSlot(slot, order);
  }

  kill(): void {
    for (const slot of this.#slots) slot.kill();
  }

  tick(tickMs: number): void {
    for (const slot of this.#slots) slot.tick(tickMs);
    this.#balancer.tick();
  }

  /** Sends a message to all workers. Returns how many of them can receive it. */
  send(message: ToWorker): number {
    return this.#slots.filter((slot) => slot.send(message)).length;
  }

  async #drainSlot(slot: WorkerSlot, order: DrainOrder): Promise<void> {
    slot.drain(order);
    if (await this.#comesTrue(() => slot.state === 'gone', order.windowMs + STRAGGLER_MS)) return;
    this.#log.warn({ workerPid: slot.pid }, 'worker did not end in time and is killed');
    slot.kill();
    await this.#comesTrue(() => slot.state === 'gone');
  }

  async #comesUp(holds: (slot: WorkerSlot) => boolean, timeoutMs: number): Promise<boolean> {
    const inTime = await this.#comesTrue(
      () => this.#failure !== undefined || this.#slots.every(holds),
      timeoutMs,
    );
    if (this.#failure !== undefined) throw this.#failure;
    return inTime;
  }

  /** Resolves with whether the condition became true in time; without a time, waits for ever. */
  #comesTrue(holds: () => boolean, timeoutMs: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (inTime: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve(inTime);
      };
      const look = (): void => {
        if (holds()) settle(true);
      };
      const timer = Number.isFinite(timeoutMs) ? setTimeout(() => settle(false), timeoutMs) : undefined;
      this.#waiters.add(look);
      look();
    });
  }

  #changed(): void {
    if (this.#isBalanced) this.#updateBalancer();
    if (this.#hubExcused && this.#slots.every(({ linked }) => linked)) this.#hubExcused = false;
    for (const look of this.#waiters) look();
  }

  /** Whether workers wait for allowances. Without a handle, the cluster module balances them. */
  get #isBalanced(): boolean {
    return this.settings.worker.balanceConnections && this.#handles.length > 0;
  }

  #updateBalancer(): void {
    for (const slot of this.#slots) {
      // A worker that drains by itself stays up until it exits.
      if (slot.state === 'up' && slot.listens) this.#balancer.join(slot);
      else this.#balancer.leave(slot);
    }
  }

  #listening(slot: WorkerSlot, address: AddressInfo): void {
    this.#address = address;
    this.#log.info({ workerPid: slot.pid, address: address.address, port: address.port }, 'worker listens');
  }

  #failed(slot: WorkerSlot, code: string, message: string): void {
    if (this.#isUp) this.#log.error({ workerPid: slot.pid, code }, message);
    else this.fail(new ListenError(code, message));
  }
}

function workersDie(how: string): ReloadError {
  const message = `The new workers die repeatedly, the last one of ${how}. See their log lines for the reason.`;
  return new ReloadError('workers_die', message);
}

function logDeath(log: Log, { index, restarts }: WorkerSlot, how: string, restartMs?: number): void {
  if (restartMs === undefined) {
    log.error({ worker: index }, `worker died of ${how} before its drain`);
  } else {
    log.error({ worker: index, restarts, restartMs }, `worker died of ${how} and is restarted`);
  }
}
