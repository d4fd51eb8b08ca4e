import type { AckEvent, ClientCommandBody, CommandId } from '@groupcast/protocol/client';
import type { GroupcastError } from '../groupcast-error.ts';
import { ID_BYTES_MAX } from '../limits.ts';
import { utf8Bytes } from './text.ts';

/**
 * Handles the answer to a command: an ack or a rejection. With neither, the outcome is unknown,
 * because the answer is late or the connection has ended.
 */
export type Answer = (ack?: AckEvent, rejection?: GroupcastError) => void;

/** A command that names a group. */
export type GroupCommandBody = Extract<ClientCommandBody, { group_id: string }>;

interface Request {
  readonly answer: Answer;
  readonly deadlineMs: number;
}

/** The unanswered commands of a connection. */
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

  /** Adds a command. Returns its `id`. */
  add(answer: Answer): number {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, { answer, deadlineMs: performance.now() + this.#timeoutMs });
    return this.#lastId;
  }

  /** Answers a command, unless it has expired. */
  settle(id: CommandId, ack?: AckEvent, rejection?: GroupcastError): void {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    request?.answer(ack, rejection);
  }

  /** Expires the commands whose deadline is before `nowMs`; all without it. */
  expire(nowMs?: number): void {
    for (const [id, { deadlineMs }] of this.#pending) {
      // They are in the order of their deadlines.
      if (nowMs !== undefined && deadlineMs > nowMs) return;
      this.settle(id);
    }
  }
}

/** Returns the maximum bytes of a command on the wire. */
export function commandBytes(command: ClientCommandBody): number {
  return utf8Bytes(JSON.stringify(command)) + ID_BYTES_MAX;
}
