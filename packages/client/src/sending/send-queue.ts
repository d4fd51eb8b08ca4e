import type { ClientCommandBody, Position } from '@groupcast/protocol/client';
import { GroupcastError } from '../groupcast-error.ts';
import type { Call, CallOptions } from '../groups/call.ts';

export interface SendOptions extends CallOptions {
  /** Keeps the message from this client, if it is a member. Default false. */
  readonly excludeSelf?: boolean;
  /**
   * By which the message is known again when it is sent again: 1 to 128 bytes. One is made when none is given. Within two minutes
   * a second message of this client with the same one is not published, and is answered with the position of the first.
   */
  readonly messageId?: string;
}

/** A message that is not answered yet. */
export interface Publish {
  readonly command: Extract<ClientCommandBody, { cmd: 'send_to_group' }>;
  /** Of the command on the wire. */
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly call: Call<Position>;
  /** Its place in the order in which messages were given. */
  readonly number: number;
  /** Whether it may have been published: it is under way, or an attempt had an end that does not rule it out. */
  isUncertain: boolean;
  /** How often it was refused for now. */
  attempt: number;
  /** Not to be sent before. */
  retryAtMs: number;
}

/** Messages from `send` to their answer, in the order in which they were given. */
export class SendQueue {
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #all = new Set<Publish>();
  /** Those that are not under way, in order. */
  readonly #waiting: Publish[] = [];
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#all.size;
  }

  /** False when there is no room. */
  add(publish: Publish): boolean {
    const bytes = this.#bytes + publish.bytes;
    if (this.#all.size >= this.#countMax || bytes > this.#bytesMax) return false;
    this.#all.add(publish);
    this.#waiting.push(publish);
    this.#bytes = bytes;
    return true;
  }

  /**
   * Takes out the next to be sent. While the oldest waits for its time so do all behind it: what keeps one from being published keeps them
   * all, and they are to stay in order.
   */
  next(nowMs: number): Publish | undefined {
    const [publish] = this.#waiting;
    return publish && publish.retryAtMs <= nowMs ? this.#waiting.shift() : undefined;
  }

  /** Sends it again, in its place among those that wait, unless it was given up meanwhile. */
  retry(publish: Publish): void {
    if (!this.#all.has(publish)) return;
    const at = this.#waiting.findIndex(({ number }) => number > publish.number);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, publish);
  }

  settle(publish: Publish, outcome: Position | Promise<never>): void {
    if (this.#all.delete(publish)) this.#bytes -= publish.bytes;
    publish.call.settle(outcome);
  }

  /** Rejects it: with `refusal` where it certainly was not published, else with `outcome_unknown` because of it. */
  refuse(publish: Publish, refusal: unknown, cause: unknown = refusal): void {
    const at = this.#waiting.indexOf(publish);
    if (at >= 0) this.#waiting.splice(at, 1);
    const error = publish.isUncertain
      ? new GroupcastError('outcome_unknown', 'Sent again, it may come twice.', { cause })
      : refusal;
    this.settle(publish, Promise.reject(error));
  }

  /** Gives up those that match; `cause` is what has kept them. */
  giveUp(matches: (publish: Publish) => boolean, cause: GroupcastError | undefined): void {
    for (const publish of this.#all) {
      if (!matches(publish)) continue;
      this.refuse(publish, new GroupcastError('not_sent', 'Send it again later.', { cause }), cause);
    }
  }
}
