import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { checkOption, integerOption, TIMER_MS_MAX } from '@groupcast/options';
import type { ErrorCode, ProtocolError } from '@groupcast/protocol';
import { printable } from '@groupcast/service';
import type { HubStats } from './admin/hub-stats.ts';
import { Counts } from './counts.ts';
import { Drain } from './drain.ts';
import { HubError } from './hub-error.ts';
import { createListener, type Listener } from './listen/tcp-listener.ts';
import { TrustedAddresses } from './listen/trusted-addresses.ts';
import { listenOnUnixSocket } from './listen/unix-listener.ts';
import { completeOptions, type HubOptions, type HubOptionsInput, needsSecret } from './options.ts';
import { OutputBudget } from './output-budget.ts';
import { Session } from './peer/peer.ts';
import { createSessionShared, type SessionShared } from './peer/peer-deps.ts';
import type { SessionEnd } from './peer/peer-end.ts';
import type { SessionRow } from './peer/peer-row.ts';
import { secretsOf } from './peer/secrets.ts';
import type { QueueRow } from './queue/queue-stats.ts';

/** What a change of the secrets means for the peers that are here. */
export interface SecretChange {
  /** Secrets that are accepted now. */
  readonly accepted: number;
  /** Open sessions whose peers proved another one. They go on, but cannot come back. */
  readonly sessionsWithOld: number;
}

/** A hub: peers connect to it, follow channels and publish; it hands every publication to all who follow its channel. */
export interface Hub {
  /**
   * Starts the engine and listens. Rejects with HubError `secret_required` for an address that others reach when there is no secret,
   * with `already_started` the second time, and with Node's own error when the port cannot be had.
   */
  listen(): Promise<AddressInfo>;
  /**
   * Ends without haste: takes no more connections, asks native peers to leave and to come back later, and closes when they have
   * left, at the latest after `windowMs` milliseconds. Then everything is as after `close`, which cuts a drain short.
   */
  drain(options: { readonly windowMs: number }): Promise<void>;
  /** Sends every peer what is queued for it, closes, and frees the port. May be called at any time, and twice. */
  close(): Promise<void>;
  /**
   * Changes the secrets that peers prove to know; open sessions go on. Throws OptionError `bad_option`, and HubError `secret_required`
   * when there were some and would be none, or the other way round: that decides what the hub may listen on.
   */
  changeSecret(secret: string | readonly string[]): SecretChange;
  stats(): HubStats;
  /** One row for each session there is. */
  sessions(): readonly SessionRow[];
  /** One row for each of the longest queues, so many of them. */
  queues(countMax: number): readonly QueueRow[];
}

/** With more sessions than this part of the limit, local peers too have a deadline for their first frame. */
const HURRY_SHARE = 0.5;

const WINDOW = integerOption({ default: 0, min: 0, max: TIMER_MS_MAX, unit: 'milliseconds' });

/** A hub that does not listen yet. Throws OptionError `bad_option` for options that it cannot run with. */
export function createHub(options: HubOptionsInput = {}): Hub {
  return new TcpHub(completeOptions(options));
}

class TcpHub implements Hub {
  readonly #options: HubOptions;
  readonly #listener: Listener;
  readonly #unixServer: Server;
  readonly #trusted: TrustedAddresses;
  readonly #budget: OutputBudget;
  readonly #shared: SessionShared;
  readonly #sessions = new Set<Session>();
  readonly #closed = new Counts<SessionEnd>();
  readonly #refused = new Counts<ErrorCode>();
  #listening: Promise<AddressInfo> | undefined;
  #closing: Promise<void> | undefined;
  #drain: Drain<Session> | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #onEmpty = (): void => {};
  #lastId = 0;
  #dropped = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#budget = new OutputBudget(options.outputBytesMax, () => this.#sessions);
    this.#shared = createSessionShared(options, {
      opened: (session) => this.#opened(session),
      refused: (error) => this.#refused.add(error.code),
      droppedInPart: (session, error) => this.#droppedInPart(session, error),
      handedOut: (bytes) => this.#budget.add(bytes),
      ended: (session, end, error) => this.#ended(session, end, error),
    });
    this.#listener = createListener(options, {
      accepted: (socket) => this.#accept(socket, this.#trusted.has(socket.remoteAddress)),
      tlsRefused: (address, error) => this.#tlsRefused(address, error),
      tlsEvicted: () => this.#closed.add('too_many_pending'),
    });
    this.#unixServer = createServer((socket) => this.#accept(socket, options.localTrust));
    this.#trusted = new TrustedAddresses(options.trust, options.localTrust);
  }

  listen(): Promise<AddressInfo> {
    if (this.#listening !== undefined || this.#closing !== undefined) {
      return Promise.reject(new HubError('already_started', 'A hub listens once. Create another one.'));
    }
    if (needsSecret(this.#options, this.#shared.secrets.count)) {
      return Promise.reject(secretRequired(this.#options.host));
    }
    this.#listening = this.#listen();
    return this.#listening;
  }

  async drain({ windowMs }: { readonly windowMs: number }): Promise<void> {
    checkOption('Hub.drain', 'windowMs', WINDOW, windowMs);
    this.#closing ??= this.#close(new Drain(windowMs));
    await this.#closing;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(undefined);
    this.#drain?.end();
    return this.#closing;
  }

  changeSecret(secret: string | readonly string[]): SecretChange {
    const { secrets } = this.#shared;
    const changed = secretsOf('Hub.changeSecret', secret);
    if ((changed.length === 0) !== (secrets.count === 0)) throw secretNeedsRestart();
    secrets.replace(changed);
    const sessionsWithOld = [...this.#sessions].filter((session) => session.hasOldSecret).length;
    return { accepted: changed.length, sessionsWithOld };
  }

  stats(): HubStats {
    const { channels, prefixes, subscriptions, published, delivered } = this.#shared.router.stats();
    const { channels: engineChannels, history } = this.#options.engine.stats();
    const { queuedBytes, pauses } = this.#budget.stats();
    return {
      sessions: this.#sessions.size,
      pendingSessions: this.#shared.pendingPeers.count,
      channels,
      prefixes,
      subscriptions,
      engineChannels,
      history,
      queues: this.#shared.queues.stats(),
      php: this.#shared.php.counts,
      published,
      delivered,
      queuedBytes,
      publisherPauses: pauses,
      dropped: this.#dropped,
      closed: this.#closed.toRecord(),
      refused: this.#refused.toRecord(),
    };
  }

  sessions(): readonly SessionRow[] {
    return Array.from(this.#sessions, (session) => session.row());
  }

  queues(countMax: number): readonly QueueRow[] {
    return this.#shared.queues.rows(countMax);
  }

  async #listen(): Promise<AddressInfo> {
    const { engine, host, log, outputCheckMs, port, unixSocket } = this.#options;
    await engine.start({
      deliver: (channel, offset, frame) =>
        this.#budget.add(this.#shared.router.deliver(channel, offset, frame)),
    });
    this.#listener.server.listen({ host, port });
    await once(this.#listener.server, 'listening');
    if (unixSocket !== undefined) await listenOnUnixSocket(this.#unixServer, unixSocket);
    for (const server of this.#servers) {
      server.on('error', (error) => log.error({ error }, 'The hub cannot accept connections'));
    }
    this.#ticker = setInterval(() => this.#tick(), outputCheckMs);
    return this.#listener.server.address() as AddressInfo;
  }

  #tick(): void {
    this.#budget.tick();
    this.#shared.queues.tick();
  }

  async #close(drain: Drain<Session> | undefined): Promise<void> {
    this.#drain = drain;
    // Whoever got an item now would have no time for it.
    this.#shared.queues.stop();
    if (this.#listening === undefined) {
      drain?.end();
      return;
    }
    // What is half started cannot be ended; whoever called `listen` gets its error.
    await Promise.allSettled([this.#listening]);
    const listening = this.#servers.filter((server) => server.listening);
    if (listening.length > 0) {
      const allClosed = Promise.all(listening.map((server) => once(server, 'close')));
      for (const server of listening) server.close();
      this.#listener.cutHandshakes();
      if (drain !== undefined) await this.#drainSessions(drain);
      for (const session of this.#sessions) session.close('hub_closed');
      await allClosed;
      await this.#allEnded();
    }
    drain?.end();
    clearInterval(this.#ticker);
    await this.#options.engine.close();
  }

  async #drainSessions(drain: Drain<Session>): Promise<void> {
    for (const session of this.#sessions) this.#askToLeave(session, drain);
    drain.endIfEmpty();
    await drain.ended;
    const closed = this.#sessions.size;
    this.#options.log.info({ ...drain.counts, closed }, 'The hub has drained; what is left is closed');
  }

  #askToLeave(session: Session, drain: Drain<Session>): void {
    const reconnectAfterMs = drain.ask(session);
    if (reconnectAfterMs === undefined) return;
    this.#options.log.info({ ...fieldsOf(session), reconnectAfterMs }, 'A peer was asked to leave');
  }

  #allEnded(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.#sessions.size === 0) resolve();
    });
  }

  get #servers(): readonly Server[] {
    return [this.#listener.server, this.#unixServer];
  }

  #accept(socket: Socket, isLocal: boolean): void {
    const { peersMax } = this.#options;
    // Those that have not shown who they are must not keep out one that will.
    if (this.#sessions.size >= peersMax && !this.#shared.pendingPeers.evictOldest()) {
      this.#drop(socket.remoteAddress);
      socket.destroy();
      return;
    }
    this.#lastId += 1;
    const session = new Session(this.#lastId, socket, isLocal, this.#shared);
    this.#sessions.add(session);
    if (this.#sessions.size > peersMax * HURRY_SHARE) this.#shared.pendingPeers.hurry();
    // It was accepted by the kernel just before the port was closed.
    if (this.#closing !== undefined) session.close('hub_closed');
  }

  #opened(session: Session): void {
    this.#options.log.info(fieldsOf(session), 'A peer has joined');
    // It was let in just before the hub began to drain.
    if (this.#drain !== undefined) this.#askToLeave(session, this.#drain);
  }

  #ended(session: Session, end: SessionEnd, error: Error | undefined): void {
    this.#sessions.delete(session);
    this.#drain?.gone(session);
    if (this.#sessions.size === 0) this.#onEmpty();
    this.#closed.add(end);
    const { log } = this.#options;
    const fields = { ...fieldsOf(session), reason: end };
    if (end === 'internal_error') log.error({ ...fields, error }, 'The hub failed, and closed the peer');
    else if (QUIET_ENDS.has(end)) log.info(fields, 'A peer has left');
    else log.warn({ ...fields, detail: printable(error?.message ?? '') }, 'A peer was closed');
  }

  #droppedInPart(session: Session, { code, message }: ProtocolError): void {
    const fields = { ...fieldsOf(session), reason: code, detail: message };
    this.#options.log.warn(fields, "Part of a peer's request was dropped");
  }

  #tlsRefused(address: string, error: Error): void {
    this.#closed.add('tls_refused');
    this.#options.log.warn(
      { address, detail: printable(error.message) },
      'A peer was refused in the TLS handshake',
    );
  }

  #drop(address: string | undefined): void {
    this.#dropped += 1;
    const { log, peersMax } = this.#options;
    log.warn({ address, peersMax }, 'A connection was dropped: the hub is full');
  }
}

/** Ends that are nobody's fault. */
const QUIET_ENDS: ReadonlySet<SessionEnd> = new Set(['closed', 'peer_closed', 'drained', 'hub_closed']);

function fieldsOf(session: Session): object {
  const { id, name, address, dialect } = session.row();
  return { session: id, peer: printable(name), address, dialect };
}

function secretNeedsRestart(): HubError {
  return new HubError(
    'secret_required',
    'A hub with a secret cannot go on without one, nor the other way round. Restart it for that.',
  );
}

function secretRequired(host: string): HubError {
  return new HubError(
    'secret_required',
    `Without a secret, any host could connect to ${host}. Give the option secret, or listen on 127.0.0.1, or set insecure.`,
  );
}
