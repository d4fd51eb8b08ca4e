import { native, type ProtocolError } from '@groupcast/protocol';

/** The part of a connection to the hub that requests use. */
export interface RequestConnection {
  /** Whether the connection accepts new requests. */
  readonly isOpen: boolean;
  /** Bytes that are buffered for the hub. */
  readonly bufferedBytes: number;
  /** Bits of `native.CAPABILITIES` that the hub announced; 0 before it has. */
  readonly capabilities: number;
  send(frame: Uint8Array): void;
}

/** A request that the hub has not answered yet. */
export interface PendingRequest {
  /** Time from which the answer is late, in milliseconds. A request without one never expires. */
  readonly deadlineMs?: number;
  /** Handles the error with which the hub rejected the request. */
  rejected(error: ProtocolError): void;
  /** Handles that no answer will come. `why` is a sentence. */
  unanswered?(why: string): void;
}

/**
 * Requests of one client, over one connection after another. All requests that the hub has not
 * answered are in one map, so that an error of the hub finds its request whatever it asked for.
 */
export class Requests {
  readonly #connection: () => RequestConnection | undefined;
  /** Why the last connection ended: the cause of errors until the next connection is open. */
  lastError: ProtocolError | undefined;
  // In the order of sending. Those with a deadline all have the same time limit.
  readonly #pending = new Map<number, PendingRequest>();
  #lastNumber = 0;

  /** `connection` returns the current connection, which changes when the client reconnects. */
  constructor(connection: () => RequestConnection | undefined) {
    this.#connection = connection;
  }

  get isOpen(): boolean {
    return this.#connection()?.isOpen === true;
  }

  get bufferedBytes(): number {
    return this.#connection()?.bufferedBytes ?? 0;
  }

  /** Returns whether the connected hub announced these bits of `native.CAPABILITIES`. */
  hasCapability(bits: number): boolean {
    return native.hasCapability(this.#connection()?.capabilities ?? 0, bits);
  }

  /** Returns a number that no other request of this client has, from 1. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  send(frame: Uint8Array): void {
    this.#connection()?.send(frame);
  }

  add(number: number, request: PendingRequest): void {
    this.#pending.set(number, request);
  }

  /** Returns `undefined` for a request that was answered, or whose answer came too late. */
  find(number: number): PendingRequest | undefined {
    return this.#pending.get(number);
  }

  delete(number: number): void {
    this.#pending.delete(number);
  }

  /** Ends a request that the hub rejected. */
  reject(number: number, error: ProtocolError): void {
    const request = this.#pending.get(number);
    this.#pending.delete(number);
    request?.rejected(error);
  }

  /** Ends the requests whose answer is late. */
  expire(nowMs: number): void {
    const expired: PendingRequest[] = [];
    for (const [number, request] of this.#pending) {
      if (request.deadlineMs === undefined) continue;
      if (request.deadlineMs > nowMs) break;
      this.#pending.delete(number);
      expired.push(request);
    }
    for (const request of expired) request.unanswered?.('The hub did not answer in time.');
  }

  /** Ends all requests: their connection is closed. `why` is a sentence. */
  endAll(why: string): void {
    const requests = [...this.#pending.values()];
    this.#pending.clear();
    for (const request of requests) request.unanswered?.(why);
  }
}
