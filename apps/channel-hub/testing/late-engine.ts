import type { native, Position, ProtocolError } from '@groupcast/protocol';
import type {
  Engine,
  EngineSink,
  EngineStats,
  HistoryBoundsOf,
  HistoryQuery,
  HistorySlot,
  PublishSlot,
  SubscribeSlot,
} from '../src/engine/engine.ts';

/**
 * An engine that behaves as one across a network. Calls take effect in a later event-loop turn,
 * answers and deliveries arrive in a still later one, and the answer to a publish after its
 * delivery.
 */
export class LateEngine implements Engine {
  readonly #inner: Engine;
  readonly #calls = new TurnQueue();
  // One queue, because the answers with a position keep their order among the deliveries.
  readonly #deliveries = new TurnQueue();
  readonly #answers = new TurnQueue();

  constructor(inner: Engine) {
    this.#inner = inner;
  }

  async start(sink: EngineSink): Promise<void> {
    await this.#inner.start({
      deliver: (channel, offset, frame) => this.#deliveries.add(() => sink.deliver(channel, offset, frame)),
      deliverEphemeral: (channel, frame) => this.#deliveries.add(() => sink.deliverEphemeral(channel, frame)),
    });
  }

  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    const lateSlot: PublishSlot = {
      publisher: slot.publisher,
      published: (number, position) =>
        this.#answers.add(() => this.#answers.add(() => slot.published(number, position))),
      publishRejected: (number, error) => this.#answers.add(() => slot.publishRejected(number, error)),
    };
    this.#calls.add(() => this.#inner.publish(publication, frame, lateSlot, request));
  }

  subscribe(subject: native.Subject, slot: SubscribeSlot): void {
    const lateSlot: SubscribeSlot = {
      subscribed: (position: Position) => this.#deliveries.add(() => slot.subscribed(position)),
      subscribeRejected: (error: ProtocolError) => this.#deliveries.add(() => slot.subscribeRejected(error)),
      deliverRun: noRuns,
    };
    this.#calls.add(() => this.#inner.subscribe(subject, lateSlot));
  }

  unsubscribe(subject: native.Subject): void {
    this.#calls.add(() => this.#inner.unsubscribe(subject));
  }

  boundHistory(boundsOf: HistoryBoundsOf): void {
    this.#calls.add(() => this.#inner.boundHistory(boundsOf));
  }

  history(query: HistoryQuery, slot: HistorySlot, request: number): void {
    const lateSlot: HistorySlot = {
      historyPage: (number, page) => this.#deliveries.add(() => slot.historyPage(number, page)),
      historyRejected: (number, error) => this.#deliveries.add(() => slot.historyRejected(number, error)),
    };
    this.#calls.add(() => this.#inner.history(query, lateSlot, request));
  }

  async close(): Promise<void> {
    await this.#calls.empty();
    await this.#inner.close();
    await this.#deliveries.empty();
    await this.#answers.empty();
  }

  stats(): EngineStats {
    return this.#inner.stats();
  }
}

function noRuns(): never {
  throw new Error('A late engine has no publishRun.');
}

/** Runs tasks in order, one per event-loop turn. */
class TurnQueue {
  readonly #tasks: (() => void)[] = [];
  #isRunning = false;
  #onEmpty: (() => void)[] = [];

  add(task: () => void): void {
    this.#tasks.push(task);
    if (!this.#isRunning) setImmediate(() => this.#run());
    this.#isRunning = true;
  }

  empty(): Promise<void> {
    if (!this.#isRunning) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty.push(resolve);
    });
  }

  #run(): void {
    this.#tasks.shift()?.();
    if (this.#tasks.length > 0) {
      setImmediate(() => this.#run());
      return;
    }
    this.#isRunning = false;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}
