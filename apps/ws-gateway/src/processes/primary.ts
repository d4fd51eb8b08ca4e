import cluster from 'node:cluster';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { CloseReason } from '@groupcast/protocol';
import { ConfigError, type Log, listenErrorMessage } from '@groupcast/service';
import { listenAddresses } from '../accept/listen-addresses.ts';
import { closePorts, openPorts } from './balance/open-ports.ts';
import type { SharedPort } from './balance/shared-port.ts';
import { BRING_UP_TIMES, type BringUpTimes, bringUp } from './bring-up.ts';
import { ReloadError } from './errors.ts';
import { type GatewaySettings, Generation } from './generation.ts';
import { HubFailures, type HubProblem } from './hub-failures.ts';
import type { WorkerReport } from './messages.ts';
import { Reports } from './reports.ts';
import { RESTART_BACKOFF_DEFAULTS, type RestartBackoffOptions } from './restart-backoff.ts';
import { EndedWorkers, type SlotCounts } from './worker-counts.ts';

export interface PrimaryOptions {
  readonly settings: GatewaySettings;
  readonly log: Log;
  readonly restart?: RestartBackoffOptions;
  readonly bringUp?: BringUpTimes;
}

/** Order for the end of the gateway. */
export interface PrimaryDrain {
  /**
   * Time during which the gateway is not ready and still serves, so that load balancers can notice,
   * in milliseconds.
   */
  readonly delayMs: number;
  /** Time over which the connections are closed evenly after that, in milliseconds. */
  readonly windowMs: number;
  readonly reason: CloseReason;
}

/** Flag of the port whose errors the primary words itself. */
const PROXY_PORT = '--proxy-protocol-port';

const TICK_MS = 1_000;
const REPORT_MS = 1_000;

/** Deaths of new workers after which their reload fails: a single one may be an accident. */
const RELOAD_DEATHS_MAX = 3;

export type PrimaryState = 'starting' | 'up' | 'draining' | 'gone';

/** Phase of a reload: new workers start, or old ones drain. */
export type ReloadPhase = 'idle' | 'starting' | 'draining';

/**
 * The process that holds no connection. It starts, watches and replaces the workers, and collects
 * their reports.
 */
export class Primary {
  readonly #log: Log;
  readonly #restart: RestartBackoffOptions;
  readonly #bringUpTimes: BringUpTimes;
  readonly #reports = new Reports();
  readonly #ended = new EndedWorkers();
  readonly #hubFailures: HubFailures;
  // An exit during a drain was forced, so workers must not outlive it. After a crash, workers close
  // their connections gracefully by themselves, as they do when the primary is killed.
  readonly #killAll = (): void => {
    if (this.#state !== 'draining') return;
    for (const generation of this.#generations) generation.kill();
  };
  #ticker: NodeJS.Timeout | undefined;
  #state: PrimaryState = 'starting';
  #reloadPhase: ReloadPhase = 'idle';
  #current: Generation;
  /** Ports of the current generation. */
  #ports: readonly SharedPort[] = [];
  /** Generations with workers: two during a reload. */
  readonly #generations = new Set<Generation>();
  #generationNumber = 1;
  /** Restarts in generations that are gone. */
  #formerRestarts = 0;
  #started: Promise<AddressInfo | undefined> | undefined;
  #drained: Promise<void> | undefined;

  constructor(options: PrimaryOptions) {
    this.#log = options.log;
    this.#hubFailures = new HubFailures(options.log);
    this.#restart = options.restart ?? RESTART_BACKOFF_DEFAULTS;
    this.#bringUpTimes = options.bringUp ?? BRING_UP_TIMES;
    this.#current = this.#createGeneration(options.settings, Number.POSITIVE_INFINITY);
  }

  /**
   * Resolves with the address when all workers listen, or with `undefined` when a drain came first.
   * Rejects with the system's error or a ListenError when it cannot listen.
   */
  start(): Promise<AddressInfo | undefined> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /** Settings of the last successful reload. */
  get settings(): GatewaySettings {
    return this.#current.settings;
  }

  /** Address on which it listens; `undefined` before it does. */
  get address(): AddressInfo | undefined {
    return this.#current.address;
  }

  /** 1 at the start, and one more with each successful reload. */
  get generation(): number {
    return this.#generationNumber;
  }

  /** Reason why it is not ready to serve, or `undefined` when it is. */
  get unreadiness(): string | undefined {
    if (this.#state !== 'up') return `the gateway is ${this.#state}`;
    const { serving, settings } = this.#current;
    // Fewer than half of the workers would be overloaded.
    if (2 * serving >= settings.workers) return undefined;
    const counts = `${serving} of ${settings.workers} workers listen and have reached the hub`;
    const problem = this.hubProblem;
    return problem === undefined ? counts : `${counts}. ${problem.message}`;
  }

  /** Last problem with the hub, while a worker is not connected to it. */
  get hubProblem(): HubProblem | undefined {
    return this.#hubFailures.problem;
  }

  /** Whether all workers of the current generation have reached the hub once. */
  get hasReachedHub(): boolean {
    return this.#current.hasReachedHub;
  }

  /**
   * Resolves when every worker of the start has reached the hub or failed to, at the latest after
   * `timeoutMs` milliseconds.
   */
  async hubTried(timeoutMs: number): Promise<void> {
    await this.#current.allTriedHub(timeoutMs);
  }

  /** Resolves when all workers have reached the hub. A reload in between restarts the wait. */
  async hubReached(): Promise<void> {
    const generation = this.#current;
    await generation.allLinked(Number.POSITIVE_INFINITY);
    if (generation !== this.#current) await this.hubReached();
  }

  get state(): PrimaryState {
    return this.#state;
  }

  get reloadPhase(): ReloadPhase {
    return this.#reloadPhase;
  }

  /** Workers that replaced dead ones. */
  get restarts(): number {
    return [...this.#generations].reduce((sum, { restarts }) => sum + restarts, this.#formerRestarts);
  }

  /** Collects the reports of the workers; leaves out those that do not answer within a second. */
  report(): Promise<WorkerReport[]> {
    return this.#reports.collect((request) => {
      const told = [...this.#generations].map((generation) => generation.send({ type: 'report', request }));
      return told.reduce((sum, count) => sum + count, 0);
    }, REPORT_MS);
  }

  /** Counters of each place as of the last reports, with those of workers that have ended. */
  counts(): readonly SlotCounts[] {
    return this.#ended.withRunning([...this.#generations].flatMap(({ lastReports }) => lastReports));
  }

  /**
   * Starts workers with these settings. When all of them serve, all old ones stop listening, so
   * that each client moves only once, and drain one after another. Resolves when they are gone.
   * Throws ReloadError when the new ones do not come up: then they are ended, and nothing else has
   * changed. Waits for the start. Must not be called during a reload.
   */
  async reload(settings: GatewaySettings): Promise<void> {
    await this.#started;
    if (this.#state !== 'up') throw isDraining();
    this.#reloadPhase = 'starting';
    try {
      const ports = await this.#portsFor(settings);
      await this.#reload(settings, ports);
    } finally {
      this.#reloadPhase = 'idle';
    }
  }

  async #reload(settings: GatewaySettings, ports: readonly SharedPort[]): Promise<void> {
    const old = this.#current;
    const oldPorts = this.#ports;
    const next = this.#createGeneration(settings, RELOAD_DEATHS_MAX);
    const drain = { windowMs: settings.worker.drainMs, reason: 'restart', handshakes: 'accept' } as const;
    try {
      if (this.#isEnding) throw isDraining();
      await bringUp(next, ports, () => this.#hubIsThere(), this.#log, this.#bringUpTimes);
      // A drain has priority: it may have started after the last worker was up.
      if (this.#isEnding) throw isDraining();
      this.#current = next;
      this.#ports = ports;
      this.#generationNumber += 1;
      this.#reloadPhase = 'draining';
      await old.retire();
      closePorts(oldPorts, ports);
      await old.drainInTurn(drain);
      this.#remove(old);
    } catch (error) {
      // Some connections may belong to new workers that listened already. In a drain this does
      // nothing.
      await next.drain(drain);
      this.#remove(next);
      closePorts(ports, this.#ports);
      throw error;
    }
  }

  /**
   * Fails the readiness, waits, stops listening, closes all connections, ends the workers. The
   * first call decides the order.
   */
  drain(drain: PrimaryDrain): Promise<void> {
    this.#drained ??= this.#drain(drain);
    return this.#drained;
  }

  async #start(): Promise<AddressInfo | undefined> {
    // For workers without a handle.
    cluster.schedulingPolicy = cluster.SCHED_RR;
    process.on('exit', this.#killAll);
    this.#ticker = setInterval(() => {
      for (const generation of this.#generations) generation.tick(TICK_MS);
      this.#hubFailures.tick();
      this.#tellReadiness();
    }, TICK_MS);
    const addresses = listenAddresses(this.settings.worker.gateway);
    this.#ports = await openPorts(addresses, [], ({ host, port, isProxied }, cause) =>
      // The caller names the flag of the port for clients.
      isProxied ? new ConfigError([listenErrorMessage(cause, host, port, PROXY_PORT)], { cause }) : cause,
    );
    if (this.#isEnding) {
      closePorts(this.#ports);
      return undefined;
    }
    this.#current.start(true, this.#ports);
    try {
      await this.#current.allListening(Number.POSITIVE_INFINITY);
    } catch (error) {
      if (!this.#isEnding) throw error;
    }
    if (this.#isEnding) return undefined;
    this.#state = 'up';
    this.#tellReadiness();
    return this.address;
  }

  async #drain({ delayMs, windowMs, reason }: PrimaryDrain): Promise<void> {
    const hasListened = this.#state === 'up';
    this.#state = 'draining';
    const generations = [...this.#generations];
    for (const generation of generations) generation.fail(isDraining());
    if (delayMs > 0 && hasListened) {
      for (const generation of generations) generation.failHealth();
      await setTimeout(delayMs);
    }
    clearInterval(this.#ticker);
    // All of them first: a client of one worker must not reconnect to another.
    await Promise.all(generations.map((generation) => generation.retire()));
    closePorts(this.#ports);
    await Promise.all(
      generations.map((generation) => generation.drain({ windowMs, reason, handshakes: 'reject' })),
    );
    this.#state = 'gone';
    process.off('exit', this.#killAll);
  }

  get #isEnding(): boolean {
    return this.#state === 'draining' || this.#state === 'gone';
  }

  async #hubIsThere(): Promise<boolean> {
    return (await this.report()).some(({ hub }) => hub.state === 'open');
  }

  /** Returns the present ports, and opens new ones where the reload moves the gateway. */
  #portsFor({ worker }: GatewaySettings): Promise<readonly SharedPort[]> {
    const addresses = listenAddresses(worker.gateway);
    return openPorts(addresses, this.#ports, ({ host, port, isProxied }, cause) => {
      const flag = isProxied ? PROXY_PORT : '--port';
      return new ReloadError('listen_failed', listenErrorMessage(cause, host, port, flag), { cause });
    });
  }

  #createGeneration(settings: GatewaySettings, deathsMax: number): Generation {
    const generation = new Generation({
      settings,
      log: this.#log,
      hubFailures: this.#hubFailures,
      restart: this.#restart,
      deathsMax,
      report: (request, report) => this.#reports.receive(request, report),
      ended: (report) => this.#ended.add(report),
    });
    this.#generations.add(generation);
    this.#tellReadiness();
    return generation;
  }

  /** Tells all workers, which answer health checks on the port. */
  #tellReadiness(): void {
    const isReady = this.unreadiness === undefined;
    for (const generation of this.#generations) generation.setReady(isReady);
  }

  #remove(generation: Generation): void {
    this.#formerRestarts += generation.restarts;
    this.#generations.delete(generation);
  }
}

function isDraining(): ReloadError {
  return new ReloadError('draining', 'The gateway is shutting down and cannot reload.');
}
