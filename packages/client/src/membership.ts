import type { GroupcastError } from './groupcast-error.ts';
import type { AckEvent } from './wire.ts';

/** Who is told what became of a command: one of these, once. */
export interface Answer {
  acked(ack: AckEvent): void;
  refused(error: GroupcastError): void;
  /** No answer came in time, or the connection ended: it is not known whether the command was carried out. */
  lost(): void;
}

interface Request {
  readonly answer: Answer;
  readonly deadlineMs: number;
}

/** The commands of a connection that are not answered yet. */
export class Requests {
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Request>();
  #lastId = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The `id` for a command that is sent now. */
  add(answer: Answer, nowMs: number): number {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, { answer, deadlineMs: nowMs + this.#timeoutMs });
    return this.#lastId;
  }

  /** Hands an answer to who waits for it, unless that was given up. */
  settle(id: number, hand: (answer: Answer) => void): void {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    if (request !== undefined) hand(request.answer);
  }

  /** Gives up those that were due before `nowMs`, Infinity for all. */
  lose(nowMs: number): void {
    for (const [id, { answer, deadlineMs }] of this.#pending) {
      // They are in the order in which they were sent, and so of their deadlines.
      if (deadlineMs > nowMs) return;
      this.#pending.delete(id);
      answer.lost();
    }
  }
}
