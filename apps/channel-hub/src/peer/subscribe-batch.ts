import type { native } from '@groupcast/protocol';
import type { RequestId } from '../routing/subscriber.ts';

/** Sends one answer to a subscribe. */
type SendAnswer = (request: RequestId, entries: readonly native.SubscribedEntry[]) => void;

/**
 * Sends the answers that arrive while a subscribe is handled together, and later ones one by one.
 */
export class SubscribeBatch {
  readonly #send: SendAnswer;
  // Undefined while no subscribe is handled.
  #entries: native.SubscribedEntry[] | undefined;
  #request: RequestId;

  constructor(send: SendAnswer) {
    this.#send = send;
  }

  /** Handles one subscribe: `work` calls `add` for each immediate answer. */
  run(request: RequestId, work: () => void): void {
    this.#entries = [];
    this.#request = request;
    work();
    this.flush();
    this.#entries = undefined;
  }

  add(request: RequestId, entry: native.SubscribedEntry): void {
    if (this.#entries !== undefined && this.#request === request) this.#entries.push(entry);
    else this.#send(request, [entry]);
  }

  /** Sends the answers so far: a subscription must be known before its first publication. */
  flush(): void {
    const entries = this.#entries;
    if (entries === undefined || entries.length === 0) return;
    this.#entries = [];
    this.#send(this.#request, entries);
  }
}
