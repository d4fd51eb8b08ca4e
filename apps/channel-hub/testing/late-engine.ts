import type { native, Position, ProtocolError } from '@groupcast/protocol';
import type {
  Engine,
  EngineSink,
  EngineStats,
  FollowSlot,
  HistorySlot,
  PublishSlot,
} from '../src/engine/engine.ts';

/**
 * For tests: an engine as one across a network would be. Calls take effect on a later turn, answers and deliveries come on
 * a later one still, and the answer to a publish after its delivery.
 */
export class LateEngine implements Engine {
  readonly #inner: Engine;
  readonly #calls = new TurnQueue();
  // One queue for what must stay in order: deliveries, and the answers that say where a channel stands among them.
  readonly #deliveries = new TurnQueue();
  readonly #answers = new TurnQueue();

  constructor(inner: Engine) {
    this.#inner = inner;
  }

  async start(sink: EngineSink): Promise<void> {
    await this.#inner.start({
      deliver: (channel, offset, frame) => this.#deliveries.add(() => sink.deliver(channel, offset, frame)),
    });
  }

  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    const lateSlot: PublishSlot = {
      publisher: slot.publisher,
      published: (number, position) =>
        this.#answers.add(() => this.#answers.add(() => slot.published(number, position))),
      refused: (number, error) => this.#answers.add(() => slot.refused(number, error)),
    };
    this.#calls.add(() => this.#inner.publish(publication, frame, lateSlot, request));
  }

  follow(subject: native.Subject, slot: FollowSlot): void {
    const lateSlot: FollowSlot = {
      followed: (position: Position) => this.#deliveries.add(() => slot.followed(position)),
      notFollowed: (error: ProtocolError) => this.#deliveries.add(() => slot.notFollowed(error)),
    };
    this.#calls.add(() => this.#inner.follow(subject, lateSlot));
  }

  unfollow(subject: native.Subject): void {
    this.#calls.add(() => this.#inner.unfollow(subject));
  }

  history(channel: string, since: Position, slot: HistorySlot, request: number): void {
    const lateSlot: HistorySlot = {
      page: (number, page) => this.#deliveries.add(() => slot.page(number, page)),
      notRead: (number, error) => this.#deliveries.add(() => slot.notRead(number, error)),
    };
    this.#calls.add(() => this.#inner.history(channel, since, lateSlot, request));
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

/** Does what it is given in order, one thing a turn. */
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
