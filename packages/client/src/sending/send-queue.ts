import type { ClientCommandBody, Position } from '@groupcast/protocol/client';
import { GroupcastError } from '../groupcast-error.ts';
import type { Call, CallOptions } from '../groups/call.ts';

export interface SendOptions extends CallOptions {
  /** Does not deliver the message to this client. Default false. */
  readonly excludeSelf?: boolean;
  /**
   * Identifies the message when it is repeated: 1 to 128 bytes. Default: a unique id. Within two
   * minutes a second message of this client with the same id is not published. It resolves with the
   * position of the first.
   */
  readonly messageId?: string;
}

/** An unanswered message. */
export interface Publish {
  readonly command: Extract<ClientCommandBody, { cmd: 'send_to_group' }>;
  /** Bytes of the command on the wire. */
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly call: Call<Position>;
  /** Number in the order of the calls of `send`. */
  readonly number: number;
  /**
   * Set when it may have been published: it is in flight, or the outcome of an attempt is unknown.
   */
  isUncertain: boolean;
  /** Number of temporary rejections. */
  attempt: number;
  /** Earliest time of the next attempt, in milliseconds of `performance.now()`. */
  retryAtMs: number;
}

/** Unanswered messages, in the order of the calls of `send`. */
export class SendQueue {
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #all = new Set<Publish>();
  /** Messages that are not in flight, in order. */
  readonly #waiting: Publish[] = [];
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Adds a message. Returns false when the queue is full. */
  add(publish: Publish): boolean {
    const bytes = this.#bytes + publish.bytes;
    if (this.#all.size >= this.#countMax || bytes > this.#bytesMax) return false;
    this.#all.add(publish);
    this.#waiting.push(publish);
    this.#bytes = bytes;
    return true;
  }

  /**
   * Removes and returns the next message to send. All messages wait while the oldest one waits for
   * its retry: its reason concerns them all, and they keep their order.
   */
  next(nowMs: number): Publish | undefined {
    const [publish] = this.#waiting;
    return publish && publish.retryAtMs <= nowMs ? this.#waiting.shift() : undefined;
  }

  /** Queues a message again, in its order, unless it is settled. */
  retry(publish: Publish): void {
    if (!this.#all.has(publish)) return;
    const at = this.#waiting.findIndex(({ number }) => number > publish.number);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, publish);
  }

  settle(publish: Publish, outcome: Position | Promise<never>): void {
    if (this.#all.delete(publish)) this.#bytes -= publish.bytes;
    publish.call.settle(outcome);
  }

  /** Rejects a message: with `rejection` if it was not published, else with `outcome_unknown`. */
  reject(publish: Publish, rejection: unknown, cause: unknown = rejection): void {
    const at = this.#waiting.indexOf(publish);
    if (at >= 0) this.#waiting.splice(at, 1);
    const error = publish.isUncertain
      ? new GroupcastError('outcome_unknown', 'Sent again, it may come twice.', { cause })
      : rejection;
    this.settle(publish, Promise.reject(error));
  }

  /** Rejects the messages that match. `cause` is the reason why they were not sent. */
  drop(matches: (publish: Publish) => boolean, cause: GroupcastError | undefined): void {
    for (const publish of this.#all) {
      if (!matches(publish)) continue;
      this.reject(publish, new GroupcastError('not_sent', 'Send it again.', { cause }), cause);
    }
  }
}
