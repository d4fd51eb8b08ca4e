import { native, type Position, ProtocolError } from '@groupcast/protocol';
import { callEachUser, callUser } from '../connection/call-user.ts';
import type { Uplink } from '../connection/uplink.ts';
import { FairQueue } from './fair-queue.ts';
import { checkPage, type HistoryAnswer, type HistoryPage, type HistoryRead } from './history-page.ts';

export interface HistoryReadsOptions {
  /** Requests that the hub has not answered. */
  readonly historyInFlightMax: number;
  /** Answers that are waited for; more are refused. */
  readonly historyWaitingMax: number;
  /** After this a read fails, in milliseconds. */
  readonly publishMs: number;
}

/** What becomes of a read when the link breaks: it is sent again on the next one, or forgotten. */
export type AfterBreak = 'again' | 'forget';

interface Caller {
  readonly read: Read;
  readonly answer: HistoryAnswer;
  readonly owner: object | undefined;
  readonly deadlineMs: number;
}

/** One question to the hub, and all who have asked it. */
interface Read {
  readonly lane: Lane;
  readonly key: string;
  readonly channel: string;
  readonly since: Position;
  /** None when all have gone while it was under way: nobody hears the answer, but as long as there is none it is under way. */
  readonly callers: Set<Caller>;
  /** Of the HISTORY that is under way; 0 while the read waits for its turn. */
  request: number;
  /** When an answer to that is not waited for any more. */
  deadlineMs: number;
}

/** A read that was rejected at once. */
const NO_READ: HistoryRead = { cancel: () => {} };

class Lane {
  /** By question, those under way among them, in the order in which they were asked. */
  readonly reads = new Map<string, Read>();
  /** Whoever waits for a read that waits for its turn. */
  waiting = new FairQueue<Caller>();
}

/**
 * All that this client reads of history, a few requests at a time. Owners come in turn: however much one asks, the others wait for one read of
 * it at a time. Who asks what is asked already gets the same answer: the members of a worker that died come back all at once, and ask the
 * same. What is forgotten after a break is the client's own recovery: it goes before all others, whose number strangers decide, and is always taken.
 */
export class HistoryReads {
  readonly #options: HistoryReadsOptions;
  readonly #uplink: Uplink;
  readonly #lanes: Readonly<Record<AfterBreak, Lane>> = { forget: new Lane(), again: new Lane() };
  readonly #underWay = new Map<number, Read>();
  #waiting = 0;
  #sent = 0;

  constructor(options: HistoryReadsOptions, uplink: Uplink) {
    this.#options = options;
    this.#uplink = uplink;
  }

  /** Requests that the hub has not answered. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Answers that are waited for. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Requests that were sent to the hub. */
  get sent(): number {
    return this.#sent;
  }

  /** Without an owner it is one of those who have none, and who are one owner together. */
  add(
    channel: string,
    since: Position,
    answer: HistoryAnswer,
    afterBreak: AfterBreak,
    owner?: object,
  ): HistoryRead {
    const { historyWaitingMax, publishMs } = this.#options;
    if (afterBreak === 'again' && this.#waiting >= historyWaitingMax) {
      return this.reject(answer, new ProtocolError('hub_unavailable', BUSY));
    }
    const read = this.#readOf(channel, since, this.#lanes[afterBreak]);
    const caller = { read, answer, owner, deadlineMs: performance.now() + publishMs };
    this.#waiting += 1;
    read.callers.add(caller);
    if (read.request === 0) {
      read.lane.waiting.add(owner, caller);
      this.resume();
    }
    return { cancel: () => this.#end(caller) };
  }

  /** Fails a read that the hub is not asked for. */
  reject(answer: HistoryAnswer, error: ProtocolError): HistoryRead {
    callUser({ answer }, fail, error);
    return NO_READ;
  }

  /** Sends as much as may be under way. */
  resume(): void {
    const { forget, again } = this.#lanes;
    while (this.#uplink.isOpen && this.#underWay.size < this.#options.historyInFlightMax) {
      const caller = forget.waiting.take() ?? again.waiting.take();
      if (caller === undefined) return;
      this.#send(caller.read);
    }
  }

  /** The link is gone. What is to be asked again waits for its turn, in its old order. */
  suspend(): void {
    this.#underWay.clear();
    for (const lane of [this.#lanes.forget, this.#lanes.again]) {
      lane.waiting = new FairQueue();
      for (const read of lane.reads.values()) {
        read.request = 0;
        for (const caller of read.callers) lane.waiting.add(caller.owner, caller);
        if (read.callers.size === 0) this.#remove(read);
      }
    }
    for (const read of this.#lanes.forget.reads.values()) this.#take(read);
  }

  /** The hub has answered. Throws a ProtocolError when the page cannot be an answer to its request. */
  answer(request: number, page: HistoryPage): void {
    const read = this.#underWay.get(request);
    // Nobody waits for it any more.
    if (read === undefined) return;
    checkPage(page, read.channel, read.since);
    const callers = this.#take(read);
    this.resume();
    callEachUser(callers, ({ answer }, news) => answer.page(news), page);
  }

  /** The hub has refused a request. Whether it was one of these. */
  refuse(request: number, error: ProtocolError): boolean {
    const read = this.#underWay.get(request);
    if (read === undefined) return false;
    const callers = this.#take(read);
    this.resume();
    callEachUser(callers, fail, error);
    return true;
  }

  /** Fails what has waited too long. */
  expire(nowMs: number): void {
    const { lastError } = this.#uplink;
    const error = new ProtocolError('hub_unavailable', LATE, lastError && { cause: lastError });
    this.#fail((deadlineMs) => deadlineMs <= nowMs, error);
    this.resume();
  }

  /** Fails all there is. */
  failAll(error: ProtocolError): void {
    this.#fail(() => true, error);
  }

  #readOf(channel: string, since: Position, lane: Lane): Read {
    const key = keyOf(channel, since);
    let read = lane.reads.get(key);
    if (read === undefined) {
      read = { lane, key, channel, since, callers: new Set(), request: 0, deadlineMs: 0 };
      lane.reads.set(key, read);
    }
    return read;
  }

  #send(read: Read): void {
    const { channel, since } = read;
    const request = this.#uplink.nextRequest();
    // Whoever's turn it was, it is sent for all.
    for (const caller of read.callers) read.lane.waiting.remove(caller.owner, caller);
    read.request = request;
    read.deadlineMs = performance.now() + this.#options.publishMs;
    this.#underWay.set(request, read);
    this.#sent += 1;
    this.#uplink.send(native.encodeHistory({ request, channel, since }));
  }

  #fail(isOver: (deadlineMs: number) => boolean, error: ProtocolError): void {
    const failed: Caller[] = [];
    for (const { reads } of [this.#lanes.forget, this.#lanes.again]) {
      for (const read of reads.values()) {
        for (const caller of read.callers) if (isOver(caller.deadlineMs)) failed.push(caller);
      }
    }
    for (const caller of failed) this.#end(caller);
    for (const read of this.#underWay.values()) {
      if (read.callers.size === 0 && isOver(read.deadlineMs)) this.#remove(read);
    }
    callEachUser(failed, fail, error);
  }

  /** Takes a read out, with all who wait for it. */
  #take(read: Read): readonly Caller[] {
    const callers = [...read.callers];
    for (const caller of callers) this.#end(caller);
    this.#remove(read);
    return callers;
  }

  /** The only end of a caller, whichever way it comes. */
  #end(caller: Caller): void {
    const { read, owner } = caller;
    if (!read.callers.delete(caller)) return;
    this.#waiting -= 1;
    read.lane.waiting.remove(owner, caller);
    if (read.callers.size === 0 && read.request === 0) this.#remove(read);
  }

  #remove(read: Read): void {
    read.lane.reads.delete(read.key);
    this.#underWay.delete(read.request);
  }
}

const BUSY = 'Too many history reads are pending. Retry later.';
const LATE = 'The hub did not answer in time. Retry later.';

function fail({ answer }: Pick<Caller, 'answer'>, error: ProtocolError): void {
  answer.failed(error);
}

/** The offset is digits and a channel's name has no control characters, so that no two questions have one key. */
function keyOf(channel: string, since: Position): string {
  return `${since.offset} ${channel}\0${since.epoch}`;
}
