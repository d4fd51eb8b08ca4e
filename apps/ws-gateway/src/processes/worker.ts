import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { HubClient } from '@groupcast/hub-client';
import type { ProtocolError } from '@groupcast/protocol';
import { createLogger, EventLoopDelay, type Logger, LogLimiter } from '@groupcast/service';
import { listenAddresses } from '../accept/listen-addresses.ts';
import { TokenVerifier } from '../auth/token-verifier.ts';
import { formatHub } from '../config.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { warmUp } from '../warm-up/warm-up.ts';
import { warmUpTokens } from '../warm-up/warm-up-tokens.ts';
import { AcceptAllowance } from './balance/accept-allowance.ts';
import type { PortHandle } from './balance/shared-port.ts';
import type { HubProblem } from './hub-failures.ts';
import {
  BEAT_MS,
  type DrainOrder,
  type FromWorker,
  LAST_REPORT,
  type ToWorker,
  type WorkerOptions,
  type WorkerReport,
  type WorkerState,
} from './messages.ts';

/**
 * Window of a drain without a primary, in milliseconds. No process restarts dead workers then, and
 * the next gateway needs the port, so clients move quickly, but not all at once. It is less than
 * the promised 3 s, because the detection and the closes take a moment.
 */
const ORPHAN_DRAIN_MS = 2_500;

/** Time for the primary to confirm that a worker disconnects, in milliseconds: it may hang. */
const LEAVE_MS = 2_000;

/**
 * The worker's side of the supervision: follows the primary's orders, and drains when it is gone.
 */
class WorkerProcess {
  readonly #worker: Worker;
  readonly #loopDelay = new EventLoopDelay();
  readonly #beat: NodeJS.Timeout;
  readonly #ending = new AbortController();
  readonly #allowance = new AcceptAllowance();
  /** Number of ports. */
  #ports = 1;
  /** Handles of ports that have arrived before those of the others. */
  readonly #handles = new Map<number, PortHandle>();
  /** Whether it has closed its copies of the shared sockets until its allowance grows. */
  #isPaused = false;
  #isBalanced = false;
  #log: Logger | undefined;
  #gateway: Gateway | undefined;
  #hub: HubClient | undefined;
  #index = 0;
  /** Whether the hub was reached once, and the gateway has what it needs of it. */
  #linked = false;
  #hasReachedHub = false;
  /** Whether the gateway has its copy of the bans. Without tokens it needs none. */
  #isLoaded = true;
  #drainMs = 0;
  /** Settles when the warm-up ends. */
  #warm: Promise<void> = Promise.resolve();
  #state: WorkerState = 'starting';
  /** Settles when the gateway listens, or cannot. */
  #listening: Promise<void> | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: ToWorker, handle?: PortHandle) => this.#receive(message, handle));
    worker.on('disconnect', () => this.#orphaned());
    this.#beat = setInterval(() => this.#tell({ type: 'beat', linked: this.#linked }), BEAT_MS);
    this.#tell({ type: 'loaded' });
    // A terminal sends Ctrl-C to the whole process group. Only the primary acts on it.
    process.on('SIGINT', () => {});
    process.on('SIGHUP', () => {});
    process.on('SIGTERM', () => {
      void this.#drain({ windowMs: this.#drainMs, reason: 'restart', handshakes: 'accept' });
    });
  }

  #receive(message: ToWorker, handle: PortHandle | undefined): void {
    switch (message.type) {
      case 'start':
        this.#start(message.options);
        this.#isBalanced = message.options.balanceConnections;
        if (message.listen) this.#listenAt(0, handle);
        return;
      case 'listen':
        this.#listenAt(0, handle);
        return;
      case 'port':
        this.#listenAt(message.at, handle);
        return;
      case 'allow':
        this.#allow(message.upTo ?? Number.POSITIVE_INFINITY);
        if (handle !== undefined) this.#listenAt(0, handle);
        return;
      case 'fail_health':
        this.#gateway?.failHealth();
        return;
      case 'ready':
        this.#gateway?.setReady(message.isReady);
        return;
      case 'ask':
        this.#reportAccepted();
        return;
      case 'report':
        this.#report(message.request);
        return;
      case 'drain':
        void this.#drain(message.order);
        return;
      case 'retire':
        this.#retire();
        return;
    }
  }

  #start(options: WorkerOptions): void {
    this.#index = options.index;
    this.#drainMs = options.drainMs;
    this.#ports = listenAddresses(options.gateway).length;
    const bindings = { role: 'worker', worker: options.index };
    const log = createLogger({ name: 'groupcast-gateway', ...options.log, bindings });
    const name = `gateway worker ${options.index} pid ${process.pid}`;
    const { directSockets = true } = options.gateway;
    const link = { directSockets };
    const hub = new HubClient({ ...options.hub, secret: options.secret, tls: options.hubTls, name, link });
    hub.on('state', (state, error) => {
      // The primary logs the problems of all workers together.
      if (state === 'waiting') this.#tell({ type: 'hub', problem: hubProblem(error) });
      if (state !== 'open') return;
      log.info({ hub: formatHub(options.hub) }, 'hub reached');
      this.#tell({ type: 'hub' });
      this.#hasReachedHub = true;
      this.#link();
    });
    // Clients can cause any number of them.
    const refusals = new LogLimiter({
      report: (code, heldBack) => log.error({ code, heldBack }, 'hub rejected more subscriptions'),
    });
    hub.on('rejected', (_subject, error) => {
      if (refusals.take(error.code))
        log.error({ code: error.code }, `hub rejected a subscription: ${error.message}`);
    });
    const verifier =
      options.tokens &&
      new TokenVerifier(options.tokens, (error) => log.error({ error }, 'keys of tokens cannot be loaded'));
    this.#isLoaded = verifier === undefined;
    const gateway = createGateway({
      ...options.gateway,
      loaded: () => {
        this.#isLoaded = true;
        this.#link();
      },
      verifyToken: verifier && ((token) => verifier.verify(token)),
      sessionSecret: options.secret,
      hub,
      log,
      accepted: (connections) => this.#accepted(connections),
    });
    // Until the primary says otherwise.
    gateway.setReady(false);
    this.#log = log;
    this.#hub = hub;
    this.#gateway = gateway;
    hub.connect();
    this.#warm = this.#warmUp(options, log);
  }

  /** Tells the primary once that this worker serves. Before it, the gateway is not ready. */
  #link(): void {
    if (this.#linked || !this.#hasReachedHub || !this.#isLoaded) return;
    this.#linked = true;
    this.#tell({ type: 'beat', linked: true });
  }

  async #warmUp({ gateway, tokens, warmUpMs }: WorkerOptions, log: Logger): Promise<void> {
    const { signal } = this.#ending;
    try {
      if (tokens !== undefined && warmUpMs > 0) await warmUpTokens(signal);
      const rounds = await warmUp({ gateway, maxMs: warmUpMs, signal });
      log.debug({ rounds }, 'warmed up');
    } catch (error) {
      log.warn({ error }, 'warm-up failed; the first connections will be slow');
    }
  }

  /** Listens when the handles of all ports have arrived. No handle: the worker opens its own. */
  #listenAt(at: number, handle: PortHandle | undefined): void {
    if (handle === undefined) {
      if (at === 0) this.#listen([]);
      return;
    }
    // One is left where that of another port was lost.
    this.#handles.get(at)?.close();
    this.#handles.set(at, handle);
    if (this.#handles.size === this.#ports) this.#listen(this.#takeHandles());
  }

  #takeHandles(): readonly PortHandle[] {
    const handles = [...this.#handles].sort(([one], [other]) => one - other).map(([, handle]) => handle);
    this.#handles.clear();
    return handles;
  }

  #listen(handles: readonly PortHandle[]): void {
    // A drain may have arrived between the two orders.
    const mayListen = this.#state === 'starting' || this.#state === 'up';
    const isOpen = this.#listening !== undefined && !this.#isPaused;
    if (!mayListen || isOpen || this.#gateway === undefined) closeAll(handles);
    else {
      this.#isPaused = false;
      // Without handles the cluster module balances the connections.
      this.#isBalanced &&= handles.length > 0;
      this.#listening = this.#listenOf(this.#gateway, handles);
    }
  }

  async #listenOf(gateway: Gateway, handles: readonly PortHandle[]): Promise<void> {
    try {
      await this.#warm;
      // A drain may have arrived meanwhile.
      if (this.#ending.signal.aborted) return closeAll(handles);
      const places = Array.from({ length: this.#ports }, (_, at) => gateway.listenOn(at, handles[at]));
      const [address] = await Promise.all(places);
      if (this.#state !== 'starting' || address === undefined) return;
      this.#state = 'up';
      this.#tell({ type: 'listening', address });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      this.#tell({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
      void this.#drain({ windowMs: 0, reason: 'internal_error', handshakes: 'reject' });
    }
  }

  /** Called for each connection, before another one can be accepted. */
  #accepted(connections: number): void {
    if (!this.#isBalanced || !this.#allowance.accept(connections)) return;
    this.#pauseIfUsedUp();
    this.#reportAccepted(connections);
  }

  #allow(upTo: number): void {
    this.#allowance.allow(upTo);
    if (this.#isPaused) return;
    this.#pauseIfUsedUp();
    if (this.#isPaused) this.#reportAccepted();
  }

  /** Closes the sockets within the call for the last allowed connection: no further one follows. */
  #pauseIfUsedUp(): void {
    if (!this.#allowance.isUsedUp) return;
    this.#isPaused = true;
    this.#gateway?.pause();
  }

  #reportAccepted(connections: number = this.#gateway?.stats().connections ?? 0): void {
    const { accepted } = this.#allowance;
    this.#tell({ type: 'accepted', accepted, connections, isPaused: this.#isPaused });
  }

  #retire(): void {
    if (this.#state === 'up') this.#state = 'retired';
    this.#gateway?.stopListening();
    // With a port of the cluster module, this message follows the one that closes the port. After
    // it, the primary passes no more connections.
    this.#tell({ type: 'retired' });
  }

  #report(request: number): void {
    const report = this.#currentReport();
    if (report !== undefined) this.#tell({ type: 'report', request, report });
  }

  #currentReport(): WorkerReport | undefined {
    if (this.#gateway === undefined || this.#hub === undefined) return undefined;
    return {
      index: this.#index,
      pid: process.pid,
      state: this.#state,
      uptimeSeconds: Math.round(process.uptime()),
      memoryBytes: process.memoryUsage.rss(),
      loopDelayMs: this.#loopDelay.read().p99Ms,
      ...this.#gateway.stats(),
      hub: this.#hub.stats(),
    };
  }

  /** Drains: the primary is gone. By default the cluster module would exit and cut all clients. */
  #orphaned(): void {
    this.#worker.exitedAfterDisconnect = true;
    const order = { windowMs: ORPHAN_DRAIN_MS, reason: 'restart', handshakes: 'reject' } as const;
    if (this.#state === 'draining') {
      // This shortens a drain that is in progress. After a completed one there is nothing to do.
      void this.#gateway?.drain(order);
      return;
    }
    this.#log?.error({ drainMs: ORPHAN_DRAIN_MS }, 'the primary is gone; this worker drains and exits');
    void this.#drain(order);
  }

  async #drain(order: DrainOrder): Promise<void> {
    if (this.#state === 'draining') return;
    this.#state = 'draining';
    this.#ending.abort();
    closeAll(this.#takeHandles());
    // A gateway that starts to listen after `stopListening` would continue. Without a primary, a
    // pending listen gets no reply.
    if (this.#worker.isConnected()) await Promise.race([this.#listening, once(this.#worker, 'disconnect')]);
    const drained = this.#gateway?.drain(order);
    // It accepts no more. The other workers must not wait for it.
    this.#tell({ type: 'retired' });
    await drained;
    await this.#gateway?.close();
    await this.#warm;
    this.#hub?.close();
    // The primary keeps the counters.
    this.#report(LAST_REPORT);
    this.#loopDelay.close();
    clearInterval(this.#beat);
    await this.#leave();
    process.exit(0);
  }

  /**
   * Disconnects from the primary. The cluster module may have passed a connection that is still in
   * transit. When the primary confirms, that connection was returned to it and goes to another
   * worker. An exit without this would cut it.
   */
  async #leave(): Promise<void> {
    if (!this.#worker.isConnected()) return;
    const gone = once(this.#worker, 'disconnect');
    this.#worker.disconnect();
    await Promise.race([gone, setTimeout(LEAVE_MS)]);
  }

  #tell(message: FromWorker): void {
    // Without a channel, `disconnect` has the same effect.
    if (this.#worker.isConnected()) this.#worker.send(message, () => {});
  }
}

function hubProblem(error: ProtocolError | undefined): HubProblem {
  return {
    code: error?.code ?? 'hub_unavailable',
    message: error?.message ?? 'The hub closed the connection.',
  };
}

function closeAll(handles: readonly PortHandle[]): void {
  for (const handle of handles) handle.close();
}

/** Runs this process as a worker. Call it only in a process that the cluster module forked. */
export function runWorker(): void {
  if (cluster.worker === undefined) throw new Error('This process is not a worker.');
  new WorkerProcess(cluster.worker);
}
