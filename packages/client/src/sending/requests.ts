import type { AckEvent, CommandId } from '@groupcast/protocol/client';
import type { GroupcastError } from '../groupcast-error.ts';

/**
 * Called once with what became of a command: its ack, or why it was refused. With neither, no answer came in time, or the
 * connection ended: it is not known whether the command was carried out.
 */
export type Answer = (ack?: AckEvent, refusal?: GroupcastError) => void;

interface Request {
  readonly answer: Answer;
  readonly deadlineMs: number;
}

/** The commands of a connection that are not answered yet. */
export class Requests {
  readonly #timeoutMs: number;
  readonly #pending = new Map<CommandId, Request>();
  #lastId = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The `id` for a command that is sent now. */
  add(answer: Answer): number {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, { answer, deadlineMs: performance.now() + this.#timeoutMs });
    return this.#lastId;
  }

  /** Answers a command, unless it was given up. */
  settle(id: CommandId, ack?: AckEvent, refusal?: GroupcastError): void {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    request?.answer(ack, refusal);
  }

  /** Gives up those that were due before `nowMs`, Infinity for all. */
  lose(nowMs?: number): void {
    for (const [id, { deadlineMs }] of this.#pending) {
      // They are in the order in which they were sent, and so of their deadlines.
      if (nowMs !== undefined && deadlineMs > nowMs) return;
      this.settle(id);
    }
  }
}
