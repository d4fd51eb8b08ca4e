import type { Position, ProtocolError } from '@groupcast/protocol';

/** Callbacks for the outcome of a request. Exactly one of the two is called, once. */
export interface HubAnswer<Outcome> {
  accepted(outcome: Outcome): void;
  failed(error: ProtocolError): void;
}

/** Callbacks for the outcome of a publish. Exactly one of the two is called, once. */
export type PublishAnswer = HubAnswer<Position>;

/** A request that is buffered until the client is connected. */
export interface BufferedRequest<Outcome> {
  readonly frame: Uint8Array;
  readonly number: number;
  readonly answer: HubAnswer<Outcome> | undefined;
  /** Bits of `native.CAPABILITIES` without which the hub must not get it. */
  readonly needs: number;
  readonly deadlineMs: number;
}

/**
 * Buffer for the requests that are made while the client is not connected: first in, first out,
 * limited in bytes. A request above the limit is accepted when nothing else is buffered, because it
 * could never be sent otherwise.
 */
export class Outbox<Outcome> {
  readonly #bytesMax: number;
  #requests: BufferedRequest<Outcome>[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns false, and does not add the request, when the buffer is full. */
  add(request: BufferedRequest<Outcome>): boolean {
    const bytes = this.#bytes + request.frame.length;
    if (bytes > this.#bytesMax && (this.#bytes > 0 || this.#bytesMax === 0)) return false;
    this.#bytes = bytes;
    this.#requests.push(request);
    return true;
  }

  /** Removes and returns expired requests. All have the same time limit, so they are in front. */
  takeExpired(nowMs: number): BufferedRequest<Outcome>[] {
    const inTime = this.#requests.findIndex((request) => request.deadlineMs > nowMs);
    const expired = this.#requests.splice(0, inTime === -1 ? this.#requests.length : inTime);
    for (const request of expired) this.#bytes -= request.frame.length;
    return expired;
  }

  takeAll(): BufferedRequest<Outcome>[] {
    const all = this.#requests;
    this.#requests = [];
    this.#bytes = 0;
    return all;
  }
}
