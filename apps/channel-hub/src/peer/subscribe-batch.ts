import type { native } from '@groupcast/protocol';
import type { RequestId } from '../routing/subscriber.ts';

/** Sends one answer to a subscribe. */
type SendAnswer = (request: RequestId, entries: readonly native.SubscribedEntry[]) => void;

/** Answers to a subscribe of many subjects: those that come while it is worked on leave together, the others one by one. */
export class SubscribeBatch {
  readonly #send: SendAnswer;
  // Undefined while no subscribe is worked on.
  #entries: native.SubscribedEntry[] | undefined;
  #request: RequestId;

  constructor(send: SendAnswer) {
    this.#send = send;
  }

  /** Does the work of one subscribe, in which `add` is called for what is answered at once. */
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

  /** Sends what is there: the peer must know of its subscription before the first publication. */
  flush(): void {
    const entries = this.#entries;
    if (entries === undefined || entries.length === 0) return;
    this.#entries = [];
    this.#send(this.#request, entries);
  }
}
