import type { Position, ProtocolError } from '@groupcast/protocol';

/** Who waits for the outcome of a request. Exactly one of the two is called, once. */
export interface HubAnswer<Outcome> {
  accepted(outcome: Outcome): void;
  failed(error: ProtocolError): void;
}

/** Who waits for the outcome of a publish. Exactly one of the two is called, once. */
export type PublishAnswer = HubAnswer<Position>;

/** A request that waits for the hub to come back. */
export interface BufferedRequest<Outcome> {
  readonly frame: Uint8Array;
  readonly request: number;
  readonly answer: HubAnswer<Outcome> | undefined;
  readonly deadlineMs: number;
}

/**
 * The requests of the time without a hub, first in, first out, bounded in bytes. One that is longer than the bound may wait
 * alone, or it could never be sent.
 */
export class Outbox<Outcome> {
  readonly #bytesMax: number;
  #waiting: BufferedRequest<Outcome>[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there was room. */
  add(publish: BufferedRequest<Outcome>): boolean {
    const bytes = this.#bytes + publish.frame.length;
    if (bytes > this.#bytesMax && (this.#bytes > 0 || this.#bytesMax === 0)) return false;
    this.#bytes = bytes;
    this.#waiting.push(publish);
    return true;
  }

  /** Those that have waited too long. All wait equally long, so they stand in front. */
  takeExpired(nowMs: number): BufferedRequest<Outcome>[] {
    const inTime = this.#waiting.findIndex((publish) => publish.deadlineMs > nowMs);
    const expired = this.#waiting.splice(0, inTime === -1 ? this.#waiting.length : inTime);
    for (const publish of expired) this.#bytes -= publish.frame.length;
    return expired;
  }

  takeAll(): BufferedRequest<Outcome>[] {
    const all = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return all;
  }
}
