import type { AddressInfo } from 'node:net';
import type { Log } from '@groupcast/service';
import { AcceptBalancer } from './balance/accept-balancer.ts';
import type { PortHandle, SharedPort } from './balance/shared-port.ts';
import { ListenError, ReloadError } from './errors.ts';
import type { DrainOrder, ToWorker, WorkerOptions, WorkerReport } from './messages.ts';
import type { RestartBackoffOptions } from './restart-backoff.ts';
import { WorkerSlot, type WorkerSlotEvents } from './worker-slot.ts';

/** What a gateway is to be: a reload brings other ones. */
export interface GatewaySettings {
  /** Number of worker processes. */
  readonly workers: number;
  /** At the end of the gateway: how long it serves on without being ready, in milliseconds. */
  readonly drainDelayMs: number;
  /** The same for all of them. */
  readonly worker: Omit<WorkerOptions, 'index'>;
}

export interface GenerationOptions {
  readonly settings: GatewaySettings;
  /** Numbers that no worker of another generation has now. */
  readonly indexes: readonly number[];
  readonly log: Log;
  readonly restart: RestartBackoffOptions;
  /** Deaths after which workers that come up are given up. */
  readonly deathsMax: number;
  report(request: number, report: WorkerReport): void;
}

/** Beyond the window of a drain, for the close handshakes and the exits, in milliseconds. */
const STRAGGLER_MS = 7_000;

/**
 * How long workers may take to say that they take no more connections, in milliseconds: one that
 * hangs does not.
 */
const RETIRE_MS = 2_000;

/** The workers that were started with one configuration. */
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
  #handle: PortHandle | undefined;
  #address: AddressInfo | undefined;

  constructor({ settings, indexes, log, restart, deathsMax, report }: GenerationOptions) {
    this.settings = settings;
    this.#log = log;
    const events: WorkerSlotEvents = {
      listening: (slot, address) => this.#listening(slot, address),
      failed: (slot, code, message) => this.#failed(slot, code, message),
      accepted: (slot, counts) => {
        this.#balancer.report(slot, counts);
      },
      report: (message) => report(message.request, message.report),
      died: (slot, how, restartMs) => {
        this.#deaths += 1;
        if (this.#deaths >= deathsMax) this.fail(workersDie(how));
        logDeath(log, slot, how, restartMs);
      },
      hangs: (slot) => log.error({ workerPid: slot.pid }, 'worker hangs and is killed'),
      changed: () => this.#changed(),
    };
    this.#slots = indexes.map((index) => new WorkerSlot({ ...settings.worker, index }, events, restart));
  }

  /** Where it listens; `undefined` before it does. */
  get address(): AddressInfo | undefined {
    return this.#address;
  }

  /** Numbers of its workers that are not gone. */
  get indexes(): readonly number[] {
    return this.#slots.filter(({ state }) => state !== 'gone').map(({ index }) => index);
  }

  /** Workers that take connections and have reached the hub once, or need not have. */
  get serving(): number {
    const serves = ({ state, linked }: WorkerSlot): boolean => state === 'up' && (linked || this.#hubExcused);
    return this.#slots.filter(serves).length;
  }

  get restarts(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.restarts, 0);
  }

  /** Starts the workers, which listen on the port at once or not before `listen`. */
  start(listen: boolean, { handle }: SharedPort): void {
    this.#handle = handle;
    for (const slot of this.#slots) slot.start(listen, handle);
  }

  /**
   * All workers have loaded the program. This and the next two resolve with whether it came so in
   * time, and reject when it cannot.
   */
  allLoaded(timeoutMs: number): Promise<boolean> {
    return this.#comesUp(({ loaded }) => loaded, timeoutMs);
  }

  /** All workers have reached the hub. */
  allLinked(timeoutMs: number): Promise<boolean> {
    return this.#comesUp(({ linked }) => linked, timeoutMs);
  }

  /**
   * All workers listen; those that do not yet are told to. From now on the generation cannot fail
   * as a whole.
   */
  async allListening(timeoutMs: number): Promise<boolean> {
    for (const slot of this.#slots) slot.listen();
    const isUp = await this.#comesUp(({ state }) => state === 'up', timeoutMs);
    this.#isUp ||= isUp;
    return isUp;
  }

  /**
   * The hub is away: until all have reached it, workers count as serving without, as they would had
   * it gone a moment later.
   */
  excuseHub(): void {
    this.#hubExcused = true;
  }

  /** Who waits for it to come up gets this error. */
  fail(error: Error): void {
    if (this.#isUp) return;
    this.#failure ??= error;
    this.#changed();
  }

  /** Health checks on the port fail from now on, on workers that start later as well. */
  failHealth(): void {
    for (const slot of this.#slots) slot.failHealth();
  }

  /** Takes no more connections. Resolves when that is so, with workers that hang left out. */
  async retire(): Promise<void> {
    for (const slot of this.#slots) slot.retire();
    if (await this.#comesTrue(() => this.#slots.every(({ listens }) => !listens), RETIRE_MS)) return;
    this.#log.warn({ retireMs: RETIRE_MS }, 'a worker does not say that it has stopped listening');
  }

  /**
   * Ends the workers in good order, all at once; those that do not end are killed. Resolves when
   * none is left.
   */
  async drain(order: DrainOrder): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#drainSlot(slot, order)));
  }

  /** Ends the workers in good order, one after another, each over the window of the order. */
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

  /** How many workers were told. */
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

  /** Resolves with whether it came to hold in time; without a time it waits for ever. */
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

  /** Whether workers wait for allowances. Without a handle the cluster module balances them. */
  get #isBalanced(): boolean {
    return this.settings.worker.balanceConnections && this.#handle !== undefined;
  }

  #updateBalancer(): void {
    for (const slot of this.#slots) {
      if (slot.state === 'up') this.#balancer.join(slot);
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
  const message = `The new workers die again and again, the last one of ${how}; their log lines say why.`;
  return new ReloadError('workers_die', message);
}

function logDeath(log: Log, { index, restarts }: WorkerSlot, how: string, restartMs?: number): void {
  if (restartMs === undefined) {
    log.error({ worker: index }, `worker died of ${how} before it could move its clients`);
  } else {
    log.error({ worker: index, restarts, restartMs }, `worker died of ${how}, the next one starts`);
  }
}
