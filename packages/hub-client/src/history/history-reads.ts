import { native, ProtocolError } from '@groupcast/protocol';
import { callEachUser, callUser } from '../connection/call-user.ts';
import type { PendingRequest, Requests } from '../connection/requests.ts';
import { unsupported } from '../connection/unsupported.ts';
import { FairQueue } from './fair-queue.ts';
import type { HistoryAnswer, HistoryPage, HistoryRead } from './history-page.ts';
import { checkPage, type HistoryQuestion, keyOfQuestion } from './history-question.ts';

export interface HistoryReadsOptions {
  /** Limit for requests that the hub has not answered. */
  readonly historyInFlightMax: number;
  /** Limit for reads that are pending; further ones are rejected. */
  readonly historyWaitingMax: number;
  /** Time limit of a read, in milliseconds. */
  readonly publishMs: number;
}

/** Handling of a read when the connection is lost: it is sent again on the next one, or dropped. */
export type AfterBreak = 'resend' | 'drop';

interface Caller {
  readonly read: Read;
  readonly answer: HistoryAnswer<native.HistoryVerdict>;
  readonly owner: object | undefined;
  readonly deadlineMs: number;
}

/** A read that was rejected at once. */
const NO_READ: HistoryRead = { cancel: () => {} };

/**
 * Reads of history, a few requests at a time.
 *
 * - Owners are served round-robin, so that an owner with many reads does not delay the others.
 * - Equal reads share one request: the members of a worker that died reconnect together, and ask
 *   the same. Its position in the queue is that of its first caller.
 * - Reads that are dropped when the connection is lost are the client's own recovery. They precede
 *   all others, whose number depends on clients, and are never rejected.
 */
export class HistoryReads {
  readonly #options: HistoryReadsOptions;
  readonly #requests: Requests;
  /** Reads that wait and reads in flight, by their question, in the order of their first caller. */
  readonly #reads = new Map<string, Read>();
  /** Callers whose read is not in flight. */
  #queues: Readonly<Record<AfterBreak, FairQueue<Caller>>> = createQueues();
  #inFlight = 0;
  #waiting = 0;
  #sent = 0;

  constructor(options: HistoryReadsOptions, requests: Requests) {
    this.#options = options;
    this.#requests = requests;
  }

  /** Requests that the hub has not answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Callers that wait for a page. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Requests that were sent to the hub. */
  get sent(): number {
    return this.#sent;
  }

  /** Reads one page. All reads without an owner share one turn. */
  add<Verdict extends native.HistoryVerdict>(
    question: HistoryQuestion,
    answer: HistoryAnswer<Verdict>,
    afterBreak: AfterBreak,
    owner?: object,
  ): HistoryRead {
    const { historyWaitingMax, publishMs } = this.#options;
    if (afterBreak === 'resend' && this.#waiting >= historyWaitingMax) {
      return this.reject(answer, new ProtocolError('hub_unavailable', BUSY));
    }
    const read = this.#readOf(question, afterBreak);
    const caller = { read, answer, owner, deadlineMs: performance.now() + publishMs };
    this.#waiting += 1;
    read.callers.add(caller);
    if (read.number === 0) {
      this.#queues[afterBreak].add(owner, caller);
      this.resume();
    }
    return { cancel: () => this.#end(caller) };
  }

  /** Rejects a read without a request to the hub. */
  reject(answer: Pick<HistoryAnswer, 'failed'>, error: ProtocolError): HistoryRead {
    callUser({ answer }, fail, error);
    return NO_READ;
  }

  /** Sends as many requests as the limit allows. */
  resume(): void {
    const { drop, resend } = this.#queues;
    while (this.#requests.isOpen && this.#inFlight < this.#options.historyInFlightMax) {
      const caller = drop.take() ?? resend.take();
      if (caller === undefined) return;
      this.#send(caller.read);
    }
  }

  /** Handles the end of the connection. Reads that are sent again keep their order. */
  suspend(): void {
    this.#inFlight = 0;
    this.#queues = createQueues();
    for (const read of [...this.#reads.values()]) {
      this.#requests.delete(read.number);
      read.number = 0;
      if (read.afterBreak === 'drop') this.#removeWithCallers(read);
      else if (read.callers.size === 0) this.#remove(read);
      else for (const caller of read.callers) this.#queues.resend.add(caller.owner, caller);
    }
  }

  /** Handles a page. Throws a ProtocolError for a page that cannot be the answer to its request. */
  answer(number: number, page: HistoryPage<native.HistoryVerdict>): void {
    const read = this.#requests.find(number);
    if (!(read instanceof Read)) return;
    checkPage(page, read.question);
    const callers = this.#removeWithCallers(read);
    this.resume();
    callEachUser(callers, ({ answer }, given) => answer.page(given), page);
  }

  /** Fails reads that wait for too long. */
  expire(nowMs: number): void {
    const { lastError } = this.#requests;
    const error = new ProtocolError('hub_unavailable', LATE, lastError && { cause: lastError });
    this.#fail((deadlineMs) => deadlineMs <= nowMs, error);
    this.resume();
  }

  failAll(error: ProtocolError): void {
    this.#fail(() => true, error);
  }

  #readOf(question: HistoryQuestion, afterBreak: AfterBreak): Read {
    const key = `${afterBreak} ${keyOfQuestion(question)}`;
    let read = this.#reads.get(key);
    if (read === undefined) {
      read = new Read(key, question, afterBreak, this.#rejected);
      this.#reads.set(key, read);
    }
    return read;
  }

  #send(read: Read): void {
    const { snapshot = false } = read.question;
    if (snapshot && !this.#requests.hasCapability(native.CAPABILITIES.keyed)) {
      callEachUser(this.#removeWithCallers(read), fail, unsupported());
      return;
    }
    const number = this.#requests.nextNumber();
    // The request is for all callers, not only for the one in front.
    for (const caller of read.callers) this.#queues[read.afterBreak].remove(caller.owner, caller);
    read.number = number;
    read.sentUntilMs = performance.now() + this.#options.publishMs;
    this.#inFlight += 1;
    this.#sent += 1;
    this.#requests.add(number, read);
    this.#requests.send(native.encodeHistory({ ...read.question, request: number }));
  }

  readonly #rejected = (read: Read, error: ProtocolError): void => {
    const callers = this.#removeWithCallers(read);
    this.resume();
    callEachUser(callers, fail, error);
  };

  #fail(isOver: (deadlineMs: number) => boolean, error: ProtocolError): void {
    const failed: Caller[] = [];
    for (const { callers } of this.#reads.values()) {
      for (const caller of callers) if (isOver(caller.deadlineMs)) failed.push(caller);
    }
    for (const caller of failed) this.#end(caller);
    for (const read of [...this.#reads.values()]) {
      if (read.callers.size === 0 && isOver(read.sentUntilMs)) this.#remove(read);
    }
    callEachUser(failed, fail, error);
  }

  /** Removes a read and returns its callers. */
  #removeWithCallers(read: Read): readonly Caller[] {
    const callers = [...read.callers];
    for (const caller of callers) this.#end(caller);
    this.#remove(read);
    return callers;
  }

  /** Removes a caller. A read in flight without callers stays: it counts until it is answered. */
  #end(caller: Caller): void {
    const { read, owner } = caller;
    if (!read.callers.delete(caller)) return;
    this.#waiting -= 1;
    this.#queues[read.afterBreak].remove(owner, caller);
    if (read.callers.size === 0 && read.number === 0) this.#remove(read);
  }

  #remove(read: Read): void {
    if (!this.#reads.delete(read.key) || read.number === 0) return;
    this.#requests.delete(read.number);
    this.#inFlight -= 1;
  }
}

/** One question to the hub, with all callers that ask it. */
class Read implements PendingRequest {
  readonly key: string;
  readonly question: HistoryQuestion;
  readonly afterBreak: AfterBreak;
  readonly callers: Set<Caller> = new Set();
  /** Number of the HISTORY request in flight; 0 before it is sent. */
  number = 0;
  /** Time from which the answer to that request is late, in milliseconds. */
  sentUntilMs = 0;
  readonly #onRejected: (read: Read, error: ProtocolError) => void;

  constructor(
    key: string,
    question: HistoryQuestion,
    afterBreak: AfterBreak,
    onRejected: (read: Read, error: ProtocolError) => void,
  ) {
    this.key = key;
    this.question = question;
    this.afterBreak = afterBreak;
    this.#onRejected = onRejected;
  }

  rejected(error: ProtocolError): void {
    this.#onRejected(this, error);
  }
}

const BUSY = 'Too many history reads are pending. Retry later.';
const LATE = 'The hub did not answer in time. Retry later.';

function createQueues(): Record<AfterBreak, FairQueue<Caller>> {
  return { drop: new FairQueue(), resend: new FairQueue() };
}

function fail({ answer }: { readonly answer: Pick<HistoryAnswer, 'failed'> }, error: ProtocolError): void {
  answer.failed(error);
}
