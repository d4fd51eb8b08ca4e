import type { AckEvent } from '@groupcast/protocol/client';
import { GroupcastError } from '../groupcast-error.ts';
import type { Call } from '../groups/call.ts';
import type { HistoryCommand } from './history.ts';
import type { ModerationCommand } from './moderation.ts';
import type { PublishCommand } from './publish-command.ts';

/** An unanswered message or request. */
export interface Queued {
  readonly queue: SendQueue;
  readonly command: PublishCommand | HistoryCommand | ModerationCommand;
  /**
   * Returns the result of the call in its ack: `null` when the call has none, `undefined` when the
   * ack is invalid.
   */
  readonly accept: (ack: AckEvent) => unknown;
  /** Bytes of the command on the wire. */
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly call: Call<unknown>;
  /** Number in the order of the calls. */
  readonly number: number;
  /**
   * Set when a message may have been published: it is in flight, or the outcome of an attempt is
   * unknown.
   */
  isUncertain: boolean;
  /** Number of temporary rejections. */
  attempt: number;
  /** Earliest time of the next attempt, in milliseconds of `performance.now()`. */
  retryAtMs: number;
}

/** Unanswered messages, or unanswered requests, in the order of the calls. */
export class SendQueue {
  /** Also those in flight. Read-only for others. */
  readonly all: Set<Queued> = new Set();
  readonly #countMax: number;
  readonly #bytesMax: number;
  /** Messages that are not in flight, in order. */
  readonly #waiting: Queued[] = [];
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  /** Adds a message. Returns false when the queue is full. */
  add(queued: Queued): boolean {
    const bytes = this.#bytes + queued.bytes;
    if (this.all.size >= this.#countMax || bytes > this.#bytesMax) return false;
    this.all.add(queued);
    this.#waiting.push(queued);
    this.#bytes = bytes;
    return true;
  }

  /**
   * Removes and returns the next message to send. All messages wait while the oldest one waits for
   * its retry: its reason concerns them all, and they keep their order.
   */
  next(nowMs: number): Queued | undefined {
    const [queued] = this.#waiting;
    return queued && queued.retryAtMs <= nowMs ? this.#waiting.shift() : undefined;
  }

  /** Queues a message again, in its order. */
  retry(queued: Queued): void {
    const at = this.#waiting.findIndex(({ number }) => number > queued.number);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, queued);
  }

  settle(queued: Queued, outcome: unknown): void {
    if (this.all.delete(queued)) this.#bytes -= queued.bytes;
    queued.call.settle(outcome);
  }

  /** Rejects a message: with `rejection` if it was not published, else with `outcome_unknown`. */
  reject(queued: Queued, rejection: unknown, cause: unknown = rejection): void {
    const at = this.#waiting.indexOf(queued);
    if (at >= 0) this.#waiting.splice(at, 1);
    const error = queued.isUncertain
      ? new GroupcastError('outcome_unknown', 'Sent again, it may come twice.', { cause })
      : rejection;
    this.settle(queued, Promise.reject(error));
  }

  /** Rejects a message that was not published, or is not known to be. `cause` is the reason. */
  fail(queued: Queued, cause?: GroupcastError): void {
    this.reject(queued, new GroupcastError('not_sent', 'Send it again.', { cause }), cause);
  }
}
