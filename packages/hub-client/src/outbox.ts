import type { Position, ProtocolError } from '@groupcast/protocol';

/** Who waits for the outcome of a publish. Exactly one of the two is called, once. */
export interface PublishAnswer {
  published(position: Position): void;
  failed(error: ProtocolError): void;
}

/** A publish that waits for the hub to come back. */
export interface WaitingPublish {
  readonly frame: Uint8Array;
  readonly request: number;
  readonly answer: PublishAnswer | undefined;
  readonly deadlineMs: number;
}

/** The publishes of the time without a hub, first in, first out, bounded in bytes. */
export class Outbox {
  readonly #bytesMax: number;
  #waiting: WaitingPublish[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there was room. */
  add(publish: WaitingPublish): boolean {
    if (this.#bytes + publish.frame.length > this.#bytesMax) return false;
    this.#bytes += publish.frame.length;
    this.#waiting.push(publish);
    return true;
  }

  /** Those that have waited too long. All wait equally long, so they stand in front. */
  takeExpired(nowMs: number): WaitingPublish[] {
    const inTime = this.#waiting.findIndex((publish) => publish.deadlineMs > nowMs);
    const expired = this.#waiting.splice(0, inTime === -1 ? this.#waiting.length : inTime);
    for (const publish of expired) this.#bytes -= publish.frame.length;
    return expired;
  }

  takeAll(): WaitingPublish[] {
    const all = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return all;
  }
}
