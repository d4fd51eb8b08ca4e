import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { checkOption, integerOption, TIMER_MS_MAX } from '@groupcast/options';
import type { ErrorCode } from '@groupcast/protocol';
import type { Namespace } from '@groupcast/protocol/schema';
import { TrustedAddresses } from '@groupcast/service';
import type { HubStats } from './admin/hub-stats.ts';
import { Counts } from './counts.ts';
import { Drain } from './drain.ts';
import { HubError } from './hub-error.ts';
import { createListener, type Listener } from './listen/tcp-listener.ts';
import { listenOnUnixSocket } from './listen/unix-listener.ts';
import { Namespaces } from './namespaces.ts';
import {
  completeOptions,
  HUB_TABLE,
  type HubOptions,
  type HubOptionsInput,
  type HubTls,
  openAddress,
} from './options.ts';
import { OutputBudget } from './output-budget.ts';
import { Peer } from './peer/peer.ts';
import { createPeerDeps, type PeerDeps } from './peer/peer-deps.ts';
import type { PeerEnd } from './peer/peer-end.ts';
import { PeerLog } from './peer/peer-log.ts';
import type { PeerRow } from './peer/peer-row.ts';
import { secretsOf } from './peer/secrets.ts';
import type { QueueRow } from './queue/queue-stats.ts';

/** Effect of a change of the secrets. */
export interface SecretChange {
  /** Secrets accepted now. */
  readonly accepted: number;
  /** Connected peers that proved a removed secret. They stay connected, but cannot reconnect. */
  readonly peersWithOldSecret: number;
}

/**
 * A hub: its peers subscribe to channels and publish; it delivers each publication to all
 * subscribers.
 */
export interface Hub {
  /**
   * Starts the engine and listens. Resolves with the first address; the others have the same port.
   * Rejects with HubError `secret_required` for an address that
   * other hosts can reach when there is no secret, with `already_started` the second time, with
   * `namespaces` when the engine has no room for these, and with Node's own error if the port
   * cannot be bound.
   */
  listen(): Promise<AddressInfo>;
  /**
   * Closes gracefully: stops listening, asks native peers to leave and to reconnect later, and
   * closes when they have left, at the latest after `windowMs` milliseconds. `close` ends a drain
   * early.
   */
  drain(options: { readonly windowMs: number }): Promise<void>;
  /**
   * Sends every peer what is buffered for it, closes, and frees the port. Safe to call repeatedly.
   */
  close(): Promise<void>;
  /**
   * Replaces the secrets that peers prove; connected peers stay. Throws OptionError `bad_option`,
   * and HubError `secret_required` for a change from some secrets to none or back, as that decides
   * where the hub may listen.
   */
  changeSecret(secret: string | readonly string[]): SecretChange;
  /**
   * Replaces the certificates for new peers; connected peers stay. Throws OptionError `bad_option`,
   * Node's own error for unusable PEM texts, and HubError `restart_required` for a change between
   * TLS and none, or between certificates of peers and none.
   */
  changeTls(tls: HubTls | undefined): void;
  /**
   * Replaces all namespaces, and resolves when gateways get them. Rejects with OptionError
   * `bad_option`, with HubError `namespaces` when the engine has no room for them, and with
   * `restart_required` for a change between some and undefined. Then nothing has changed.
   */
  changeNamespaces(namespaces: readonly Namespace[] | undefined): Promise<void>;
  stats(): HubStats;
  /** Returns one row for each connected peer. */
  peers(): readonly PeerRow[];
  /** Returns one row for each of the longest queues, `countMax` at most. */
  queues(countMax: number): readonly QueueRow[];
}

/** Share of `peersMax` above which local peers too have a deadline for their first frame. */
const HURRY_SHARE = 0.5;

const WINDOW = integerOption({ default: 0, min: 0, max: TIMER_MS_MAX, unit: 'milliseconds' });

/** Creates a hub that does not listen yet. Throws OptionError `bad_option` for invalid options. */
export function createHub(options: HubOptionsInput = {}): Hub {
  return new TcpHub(completeOptions(options));
}

class TcpHub implements Hub {
  readonly #options: HubOptions;
  readonly #listener: Listener;
  readonly #unixServer: Server;
  readonly #trusted: TrustedAddresses;
  readonly #namespaces: Namespaces;
  readonly #budget: OutputBudget;
  readonly #deps: PeerDeps;
  readonly #log: PeerLog;
  readonly #peers = new Set<Peer>();
  readonly #closed = new Counts<PeerEnd>();
  readonly #rejected = new Counts<ErrorCode>();
  #listening: Promise<AddressInfo> | undefined;
  #closing: Promise<void> | undefined;
  #drain: Drain<Peer> | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #onEmpty = (): void => {};
  #lastId = 0;
  #dropped = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#log = new PeerLog(options.log);
    this.#budget = new OutputBudget(options.outputBytesMax, () => this.#peers);
    this.#deps = createPeerDeps(options, {
      rejected: (error) => this.#rejected.add(error.code),
      sent: (bytes) => this.#budget.add(bytes),
    });
    this.#listener = createListener(options, {
      accepted: (socket) => this.#accept(socket, this.#trusted.has(socket.remoteAddress)),
      tlsRejected: (address, error) => {
        this.#closed.add(error === undefined ? 'peer_closed' : 'tls_rejected');
        this.#log.rejectedByTls(address, error);
      },
      tlsEvicted: () => this.#closed.add('too_many_pending'),
    });
    this.#unixServer = createServer((socket) => this.#accept(socket, options.localTrust));
    this.#namespaces = new Namespaces(options.engine);
    this.#trusted = new TrustedAddresses(options.trust, options.localTrust);
  }

  listen(): Promise<AddressInfo> {
    if (this.#listening !== undefined || this.#closing !== undefined) {
      return Promise.reject(new HubError('already_started', 'A hub listens once. Create another one.'));
    }
    const open = openAddress(this.#options, this.#deps.secrets.count);
    if (open !== undefined) return Promise.reject(secretRequired(open));
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
    const { secrets } = this.#deps;
    const changed = secretsOf('Hub.changeSecret', secret);
    if ((changed.length === 0) !== (secrets.count === 0)) throw secretNeedsRestart();
    secrets.replace(changed);
    const peersWithOldSecret = [...this.#peers].filter((peer) => peer.hasOldSecret).length;
    return { accepted: changed.length, peersWithOldSecret };
  }

  changeTls(tls: HubTls | undefined): void {
    checkOption('Hub.changeTls', 'tls', HUB_TABLE.tls, tls);
    const { tls: now } = this.#options;
    if ((tls === undefined) !== (now === undefined) || (tls?.ca === undefined) !== (now?.ca === undefined)) {
      throw tlsNeedsRestart();
    }
    if (tls !== undefined) this.#listener.changeTls(tls);
  }

  async changeNamespaces(namespaces: readonly Namespace[] | undefined): Promise<void> {
    checkOption('Hub.changeNamespaces', 'namespaces', HUB_TABLE.namespaces, namespaces);
    const { namespaces: first } = this.#options;
    if ((namespaces === undefined) !== (first === undefined)) throw namespacesNeedRestart();
    if (namespaces !== undefined) await this.#namespaces.change(namespaces);
  }

  stats(): HubStats {
    const { channels, prefixes, subscriptions, published, delivered } = this.#deps.router.stats();
    const { channels: engineChannels, history, keyed } = this.#options.engine.stats();
    const { bufferedBytes, pauses } = this.#budget.stats();
    return {
      connectedPeers: this.#peers.size,
      pendingPeers: this.#deps.pendingPeers.count,
      channels,
      prefixes,
      subscriptions,
      engineChannels,
      history,
      keyed,
      queues: this.#deps.queues.stats(),
      php: this.#deps.php.counts,
      published,
      delivered,
      bufferedBytes,
      publisherPauses: pauses,
      dropped: this.#dropped,
      closed: this.#closed.toRecord(),
      rejected: this.#rejected.toRecord(),
      ...this.#deps.counts,
    };
  }

  peers(): readonly PeerRow[] {
    return Array.from(this.#peers, (peer) => peer.row());
  }

  queues(countMax: number): readonly QueueRow[] {
    return this.#deps.queues.rows(countMax);
  }

  async #listen(): Promise<AddressInfo> {
    const { engine, log, namespaces, outputCheckMs, unixSocket } = this.#options;
    await engine.start({
      deliver: (channel, offset, frame) =>
        this.#budget.add(this.#deps.router.deliver(channel, offset, frame)),
      deliverEphemeral: (channel, frame) =>
        this.#budget.add(this.#deps.router.deliverEphemeral(channel, frame)),
    });
    // Before a gateway could find none.
    if (namespaces !== undefined) await this.#namespaces.change(namespaces);
    const address = await this.#listener.listen();
    if (unixSocket !== undefined) await listenOnUnixSocket(this.#unixServer, unixSocket);
    for (const server of this.#servers) {
      server.on('error', (error) => log.error({ error }, 'Cannot accept connections'));
    }
    this.#ticker = setInterval(() => this.#tick(), outputCheckMs);
    return address;
  }

  #tick(): void {
    this.#budget.tick();
    this.#deps.queues.tick();
  }

  async #close(drain: Drain<Peer> | undefined): Promise<void> {
    this.#drain = drain;
    // A consumer could not finish an item that it got now.
    this.#deps.queues.stop();
    if (this.#listening === undefined) {
      drain?.end();
      return;
    }
    // A start in progress cannot be cancelled; the caller of `listen` gets its error.
    await Promise.allSettled([this.#listening]);
    const listening = this.#servers.filter((server) => server.listening);
    if (listening.length > 0) {
      const allClosed = Promise.all(listening.map((server) => once(server, 'close')));
      for (const server of listening) server.close();
      this.#listener.cutHandshakes();
      if (drain !== undefined) await this.#drainPeers(drain);
      for (const peer of this.#peers) peer.close('hub_closed');
      await allClosed;
      await this.#allEnded();
    }
    drain?.end();
    clearInterval(this.#ticker);
    await this.#options.engine.close();
  }

  async #drainPeers(drain: Drain<Peer>): Promise<void> {
    for (const peer of this.#peers) this.#askToLeave(peer, drain);
    drain.endIfEmpty();
    await drain.ended;
    const closed = this.#peers.size;
    this.#options.log.info({ ...drain.counts, closed }, 'Hub drained; closing the remaining peers');
  }

  #askToLeave(peer: Peer, drain: Drain<Peer>): void {
    const reconnectAfterMs = drain.ask(peer);
    if (reconnectAfterMs !== undefined) this.#log.askedToLeave(peer.row(), reconnectAfterMs);
  }

  #allEnded(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.#peers.size === 0) resolve();
    });
  }

  get #servers(): readonly Server[] {
    return [...this.#listener.servers, this.#unixServer];
  }

  #accept(socket: Socket, isLocal: boolean): void {
    const { peersMax } = this.#options;
    // A peer that has not authenticated must not keep out one that will.
    if (this.#peers.size >= peersMax && !this.#deps.pendingPeers.evictOldest()) {
      this.#dropped += 1;
      this.#log.dropped(socket.remoteAddress, peersMax);
      socket.destroy();
      return;
    }
    this.#lastId += 1;
    const peer: Peer = new Peer(this.#lastId, socket, isLocal, this.#deps, {
      opened: () => this.#opened(peer),
      droppedInPart: (error) => this.#log.droppedInPart(peer.row(), error),
      banChanged: (change) => this.#log.banChanged(peer.row(), change),
      ended: (end, error) => this.#ended(peer, end, error),
    });
    this.#peers.add(peer);
    if (this.#peers.size > peersMax * HURRY_SHARE) this.#deps.pendingPeers.hurry();
    // The kernel accepted it just before the port was closed.
    if (this.#closing !== undefined) peer.close('hub_closed');
  }

  #opened(peer: Peer): void {
    this.#log.connected(peer.row());
    // It was admitted just before the drain began.
    if (this.#drain !== undefined) this.#askToLeave(peer, this.#drain);
  }

  #ended(peer: Peer, end: PeerEnd, error: Error | undefined): void {
    this.#peers.delete(peer);
    this.#drain?.gone(peer);
    if (this.#peers.size === 0) this.#onEmpty();
    this.#closed.add(end);
    this.#log.ended(peer.row(), end, error);
  }
}

function secretNeedsRestart(): HubError {
  return new HubError(
    'secret_required',
    'A running hub cannot change between no secret and some. Restart it with the new secrets.',
  );
}

function tlsNeedsRestart(): HubError {
  return new HubError(
    'restart_required',
    'A running hub cannot change between TLS and none, or whether peers need a certificate. Restart it.',
  );
}

function namespacesNeedRestart(): HubError {
  return new HubError(
    'restart_required',
    'A running hub cannot begin to have namespaces, or end it. Restart it, or give an empty list.',
  );
}

function secretRequired(host: string): HubError {
  return new HubError(
    'secret_required',
    `Without a secret, any host could connect to ${host}. Give a secret (--secret-file), listen on 127.0.0.1, or accept any peer (--insecure).`,
  );
}
