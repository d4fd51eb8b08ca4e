import { completeOptions, type HubOptions, type HubOptionsInput } from '../src/options.ts';
import { Peer } from '../src/peer/peer.ts';
import { createPeerDeps, type PeerDeps } from '../src/peer/peer-deps.ts';
import type { PeerEnd } from '../src/peer/peer-end.ts';
import { Credit } from '../src/queue/work-queue.ts';
import type { WorkQueues } from '../src/queue/work-queues.ts';
import type { Router } from '../src/routing/router.ts';
import { MemorySocket } from './memory-socket.ts';

/** Receives the end of a peer, with the socket of the peer. */
type Ended = (end: PeerEnd, error: Error | undefined, socket: MemorySocket) => void;

/** The peers of a hub on sockets in memory, for tests that connect millions of them. */
export class MemoryHub {
  readonly router: Router;
  readonly queues: WorkQueues;
  readonly options: HubOptions;
  readonly #deps: PeerDeps;
  readonly #peers = new Set<Peer>();
  readonly #ended: Ended;
  #lastId = 0;

  /** `ended` is called at the end of each peer. */
  constructor(options: HubOptionsInput, ended: Ended) {
    // A socket in memory has no handle below its stream.
    this.options = completeOptions({ ...options, link: { ...options.link, directSockets: false } });
    this.#deps = createPeerDeps(this.options, { rejected: () => {}, sent: () => {} });
    this.#ended = ended;
    this.router = this.#deps.router;
    this.queues = this.#deps.queues;
  }

  start(): Promise<void> {
    return this.options.engine.start(this.router);
  }

  close(): Promise<void> {
    return this.options.engine.close();
  }

  get connectedPeers(): number {
    return this.#peers.size;
  }

  /** Number of channels with a subscriber of `publishLoop`. */
  get roundRobinNames(): number {
    return this.#deps.php.roundRobin.size;
  }

  get pendingPeers(): number {
    return this.#deps.pendingPeers.count;
  }

  /** Consumes all items, including those of dead-letter queues. */
  emptyQueues(): void {
    const credit = new Credit(true);
    const consumer = this.queues.addConsumer({
      deliver: ({ queue, id, attempt }) => consumer.done(queue, id, attempt),
    });
    consumer.addCredit(credit, 1);
    for (const { name } of this.queues.rows(Number.MAX_SAFE_INTEGER)) {
      consumer.watch(name, credit);
      consumer.unwatch(name);
    }
    consumer.close();
  }

  /** Connects a peer; `received` gets the bytes that the hub sends to it. */
  connect(received: (bytes: Uint8Array) => void): MemorySocket {
    const socket = new MemorySocket(received);
    this.#lastId += 1;
    const peer: Peer = new Peer(this.#lastId, socket.asSocket, true, this.#deps, {
      opened: () => {},
      droppedInPart: () => {},
      banChanged: () => {},
      ended: (end, error) => {
        this.#peers.delete(peer);
        this.#ended(end, error, socket);
      },
    });
    this.#peers.add(peer);
    return socket;
  }
}
