import type { PublishAnswer } from './outbox.ts';

interface Pending {
  readonly answer: PublishAnswer;
  readonly deadlineMs: number;
}

/** The publishes that were sent to the hub and that it has not answered yet. */
export class PendingAnswers {
  // In the order of sending, and all wait equally long: the first is always the next to expire.
  readonly #pending = new Map<number, Pending>();

  get size(): number {
    return this.#pending.size;
  }

  add(request: number, answer: PublishAnswer, deadlineMs: number): void {
    this.#pending.set(request, { answer, deadlineMs });
  }

  /** `undefined` when the answer came too late. */
  take(request: number): PublishAnswer | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending?.answer;
  }

  takeExpired(nowMs: number): PublishAnswer[] {
    const expired: PublishAnswer[] = [];
    for (const [request, pending] of this.#pending) {
      if (pending.deadlineMs > nowMs) break;
      this.#pending.delete(request);
      expired.push(pending.answer);
    }
    return expired;
  }

  takeAll(): PublishAnswer[] {
    return this.takeExpired(Number.POSITIVE_INFINITY);
  }
}
