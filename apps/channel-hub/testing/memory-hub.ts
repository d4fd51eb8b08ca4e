import { completeOptions, type HubOptions, type HubOptionsInput } from '../src/options.ts';
import { Session } from '../src/peer/peer.ts';
import { createSessionShared, type SessionShared } from '../src/peer/peer-deps.ts';
import type { SessionEnd } from '../src/peer/peer-end.ts';
import { Credit } from '../src/queue/work-queue.ts';
import type { WorkQueues } from '../src/queue/work-queues.ts';
import type { Router } from '../src/routing/router.ts';
import { MemorySocket } from './memory-socket.ts';

/** The real sessions of a hub, with links on sockets in memory: for tests that connect millions of peers. */
export class MemoryHub {
  readonly router: Router;
  readonly queues: WorkQueues;
  readonly options: HubOptions;
  readonly #shared: SessionShared;
  readonly #sessions = new Set<Session>();
  readonly #sockets = new WeakMap<Session, MemorySocket>();
  #lastId = 0;

  /** `ended` hears how each session ended. */
  constructor(
    options: HubOptionsInput,
    ended: (end: SessionEnd, error: Error | undefined, socket: MemorySocket) => void,
  ) {
    // A socket in memory has no handle that could be read and written past its stream.
    this.options = completeOptions({ ...options, link: { ...options.link, directSockets: false } });
    this.#shared = createSessionShared(this.options, {
      opened: () => {},
      refused: () => {},
      droppedInPart: () => {},
      handedOut: () => {},
      ended: (session, end, error) => {
        this.#sessions.delete(session);
        const socket = this.#sockets.get(session);
        if (socket !== undefined) ended(end, error, socket);
      },
    });
    this.router = this.#shared.router;
    this.queues = this.#shared.queues;
  }

  start(): Promise<void> {
    return this.options.engine.start(this.router);
  }

  close(): Promise<void> {
    return this.options.engine.close();
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Channels for whose next `publishLoop` somebody waits. */
  get turnsLeft(): number {
    return this.#shared.php.turns.size;
  }

  get pendingSessions(): number {
    return this.#shared.pendingPeers.count;
  }

  /** Does all work that waits, that of dead-letter queues too. */
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

  /** A new peer, which is given what the hub sends to it. */
  connect(taken: (bytes: Uint8Array) => void): MemorySocket {
    const socket = new MemorySocket(taken);
    this.#lastId += 1;
    const session = new Session(this.#lastId, socket.asSocket, true, this.#shared);
    this.#sessions.add(session);
    this.#sockets.set(session, socket);
    return socket;
  }
}
