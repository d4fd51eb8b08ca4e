import type { HubAnswer } from './outbox.ts';

interface Pending<Outcome> {
  readonly answer: HubAnswer<Outcome>;
  readonly deadlineMs: number;
}

/** The requests that were sent to the hub and that it has not answered yet. */
export class PendingAnswers<Outcome> {
  // In the order of sending, and all wait equally long: the first is always the next to expire.
  readonly #pending = new Map<number, Pending<Outcome>>();

  get size(): number {
    return this.#pending.size;
  }

  add(request: number, answer: HubAnswer<Outcome>, deadlineMs: number): void {
    this.#pending.set(request, { answer, deadlineMs });
  }

  /** `undefined` when the answer came too late. */
  take(request: number): HubAnswer<Outcome> | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending?.answer;
  }

  takeExpired(nowMs: number): HubAnswer<Outcome>[] {
    const expired: HubAnswer<Outcome>[] = [];
    for (const [request, pending] of this.#pending) {
      if (pending.deadlineMs > nowMs) break;
      this.#pending.delete(request);
      expired.push(pending.answer);
    }
    return expired;
  }

  takeAll(): HubAnswer<Outcome>[] {
    return this.takeExpired(Number.POSITIVE_INFINITY);
  }
}
