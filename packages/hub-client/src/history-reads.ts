import { native, type Position, ProtocolError } from '@groupcast/protocol';
import { checkPage, type HistoryAnswer, type HistoryPage } from './history-page.ts';
import { tellEach } from './tell-each.ts';
import type { Uplink } from './uplink.ts';

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
  readonly answer: HistoryAnswer;
  readonly deadlineMs: number;
}

/** One question to the hub, and all who have asked it. */
interface Read {
  readonly lane: Lane;
  readonly key: string;
  readonly channel: string;
  readonly since: Position;
  callers: Caller[];
  /** Of the HISTORY that is under way; 0 while the read waits for its turn. */
  request: number;
}

/** Reads in the order in which they were asked, those under way among them. */
class Lane {
  readonly reads = new Map<string, Read>();
  /** What was looked at in the search for the next to send. Kept, so that no search begins at the front again. */
  #cursor: Iterator<Read> = this.reads.values();
  underWay = 0;

  /** The next that waits for its turn. */
  next(): Read | undefined {
    // An iterator that stands still holds all that its map has held since.
    if (this.reads.size === 0) this.#cursor = this.reads.values();
    if (this.reads.size === this.underWay) return undefined;
    for (;;) {
      const next = this.#cursor.next();
      // One waits, so that the search from the front finds it.
      if (next.done) this.#cursor = this.reads.values();
      else if (next.value.request === 0) return next.value;
    }
  }

  /** Nothing is under way any more: all wait again, in their old order. */
  suspend(): void {
    this.#cursor = this.reads.values();
    this.underWay = 0;
    for (const read of this.reads.values()) read.request = 0;
  }
}

/**
 * All that this client reads of history, first come, first served, a few requests at a time. Who asks what is asked already
 * gets the same answer: the members of a worker that died come back all at once, and ask the same. What is forgotten after a break
 * is the client's own recovery: it goes before all others, whose number strangers decide, and is always taken.
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

  add(channel: string, since: Position, answer: HistoryAnswer, afterBreak: AfterBreak): void {
    const { historyWaitingMax, publishMs } = this.#options;
    if (afterBreak === 'again' && this.#waiting >= historyWaitingMax) {
      answer.failed(new ProtocolError('hub_unavailable', BUSY));
      return;
    }
    this.#waiting += 1;
    const caller = { answer, deadlineMs: performance.now() + publishMs };
    const key = keyOf(channel, since);
    const lane = this.#lanes[afterBreak];
    const known = lane.reads.get(key);
    if (known === undefined) {
      lane.reads.set(key, { lane, key, channel, since, callers: [caller], request: 0 });
      this.resume();
    } else {
      known.callers.push(caller);
    }
  }

  /** Sends as much as may be under way. */
  resume(): void {
    while (this.#uplink.isOpen && this.#underWay.size < this.#options.historyInFlightMax) {
      const read = this.#lanes.forget.next() ?? this.#lanes.again.next();
      if (read === undefined) return;
      const { channel, since } = read;
      const request = this.#uplink.nextRequest();
      read.request = request;
      read.lane.underWay += 1;
      this.#underWay.set(request, read);
      this.#sent += 1;
      this.#uplink.send(native.encodeHistory({ request, channel, since }));
    }
  }

  /** The link is gone. What is to be asked again stands in front, in its old order. */
  suspend(): void {
    this.#underWay.clear();
    const { forget, again } = this.#lanes;
    forget.suspend();
    again.suspend();
    for (const read of forget.reads.values()) this.#keep(read, () => false);
  }

  /** The hub has answered. Throws a ProtocolError when the page cannot be an answer to its request. */
  answer(request: number, page: HistoryPage): void {
    const read = this.#underWay.get(request);
    // Nobody waits for it any more.
    if (read === undefined) return;
    checkPage(page, read.channel, read.since);
    tellEach(this.#take(read), ({ answer }, news) => answer.page(news), page);
  }

  /** The hub has refused a request. Whether it was one of these. */
  refuse(request: number, error: ProtocolError): boolean {
    const read = this.#underWay.get(request);
    if (read === undefined) return false;
    tellEach(this.#take(read), fail, error);
    return true;
  }

  /** Fails what has waited too long. */
  expire(nowMs: number): void {
    this.#fail((caller) => caller.deadlineMs <= nowMs, new ProtocolError('hub_unavailable', LATE));
    this.resume();
  }

  /** Fails all there is. */
  failAll(error: ProtocolError): void {
    this.#fail(() => true, error);
  }

  #fail(fails: (caller: Caller) => boolean, error: ProtocolError): void {
    const failed: Caller[] = [];
    for (const { reads } of [this.#lanes.forget, this.#lanes.again]) {
      for (const read of reads.values()) failed.push(...this.#keep(read, (caller) => !fails(caller)));
    }
    tellEach(failed, fail, error);
  }

  /** Takes out a read that is answered, and lets the next one go. Answers with all who wait for it. */
  #take(read: Read): readonly Caller[] {
    this.#remove(read);
    this.#waiting -= read.callers.length;
    this.resume();
    return read.callers;
  }

  /** Keeps some of those who wait for a read, and the read while there are any. Answers with the others. */
  #keep(read: Read, stays: (caller: Caller) => boolean): readonly Caller[] {
    if (read.callers.every(stays)) return NONE;
    const gone = read.callers.filter((caller) => !stays(caller));
    read.callers = read.callers.filter(stays);
    this.#waiting -= gone.length;
    if (read.callers.length === 0) this.#remove(read);
    return gone;
  }

  #remove(read: Read): void {
    read.lane.reads.delete(read.key);
    if (this.#underWay.delete(read.request)) read.lane.underWay -= 1;
  }
}

const NONE: readonly Caller[] = [];

const BUSY = 'As many reads of history wait for the hub as may. Ask again later.';
const LATE = 'The hub did not answer in time. Ask again later.';

function fail({ answer }: Caller, error: ProtocolError): void {
  answer.failed(error);
}

/** The offset is digits and a channel's name has no control characters, so that no two questions have one key. */
function keyOf(channel: string, since: Position): string {
  return `${since.offset} ${channel}\0${since.epoch}`;
}
