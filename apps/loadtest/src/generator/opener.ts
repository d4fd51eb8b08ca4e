import type { Ending } from './connection.ts';

/** What an Opener opens with and whom it tells. */
export interface OpenerOptions {
  readonly count: number;
  /** At most so many are being opened at once. */
  readonly connectingMax: number;
  /** At most so many are begun in a second; 0: no bound. */
  readonly perSecond: number;
  /** Begins to open the connection of that index; `opened` or `failed` follows. */
  readonly open: (index: number) => void;
  /** Gives up one that takes too long; `failed` follows. */
  readonly abandon: (index: number) => void;
  readonly nowUs: () => number;
  readonly onOpened: (handshakeUs: number) => void;
  /** All are open, or `stop` was called. */
  readonly onDone: () => void;
  readonly onFailed: (reason: string, ending: Ending) => void;
}

const TICK_MS = 10;
const MICROS_PER_SECOND = 1_000_000;

/** How long one connection may take to be opened and joined. */
const ATTEMPT_TIMEOUT_US = 30 * MICROS_PER_SECOND;

/** A server that lets nobody in for so long is not busy, it is down. */
const STUCK_US = 60 * MICROS_PER_SECOND;

/** How often a connection is tried again when it breaks for another reason than a busy server. */
const BREAKS_MAX = 5;
const BREAK_PAUSE_MS = 500;

/** Comes back a little later than asked, so that those who were sent away together do not return together. */
const RETRY_SPREAD = 0.25;

/** Opens connections: some at once, at most so many in a second, again when the server was too busy. */
export class Opener {
  readonly #options: OpenerOptions;
  /** Index to when it was begun. */
  readonly #opening = new Map<number, number>();
  readonly #breaks = new Map<number, number>();
  #waiting: { readonly index: number; readonly dueUs: number }[] = [];
  #next = 0;
  #begun = 0;
  #openCount = 0;
  #retried = 0;
  #startUs = 0;
  #lastOpenedUs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OpenerOptions) {
    this.#options = options;
  }

  /** How many attempts were sent away or broke, and were made again. */
  get retried(): number {
    return this.#retried;
  }

  get openCount(): number {
    return this.#openCount;
  }

  isOpening(index: number): boolean {
    return this.#opening.has(index);
  }

  start(): void {
    this.#startUs = this.#options.nowUs();
    this.#lastOpenedUs = this.#startUs;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#fill();
    this.#finishIfOpen();
  }

  /** Opens no more. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#options.onDone();
  }

  opened(index: number): void {
    const begunUs = this.#opening.get(index);
    if (begunUs === undefined) return;
    this.#opening.delete(index);
    this.#openCount++;
    this.#lastOpenedUs = this.#options.nowUs();
    this.#options.onOpened(this.#lastOpenedUs - begunUs);
    this.#fill();
    this.#finishIfOpen();
  }

  /** The connection ended. False when it was open already, so that this is no matter of opening. */
  failed(index: number, ending: Ending): boolean {
    if (!this.#opening.delete(index)) return false;
    if (this.#timer !== undefined) this.#again(index, ending);
    return true;
  }

  #again(index: number, ending: Ending): void {
    let pauseMs = ending.retryAfterMs;
    if (pauseMs === undefined) {
      const breaks = (this.#breaks.get(index) ?? 0) + 1;
      this.#breaks.set(index, breaks);
      if (breaks > BREAKS_MAX || ending.code === 'REFUSED' || ending.code === 'EMFILE') {
        this.#giveUp(`A connection could not be opened: ${ending.reason}.`, ending);
        return;
      }
      pauseMs = BREAK_PAUSE_MS;
    }
    this.#retried++;
    const pauseUs = pauseMs * 1_000 * (1 + RETRY_SPREAD * Math.random());
    this.#waiting.push({ index, dueUs: this.#options.nowUs() + pauseUs });
  }

  #tick(): void {
    const nowUs = this.#options.nowUs();
    if (nowUs - this.#lastOpenedUs > STUCK_US) {
      this.#giveUp(`The server has let nobody in for ${STUCK_US / MICROS_PER_SECOND} seconds.`, {
        reason: 'busy',
      });
      return;
    }
    for (const [index, begunUs] of this.#opening) {
      if (nowUs - begunUs > ATTEMPT_TIMEOUT_US) this.#options.abandon(index);
    }
    this.#fill();
  }

  #fill(): void {
    if (this.#timer === undefined) return;
    const nowUs = this.#options.nowUs();
    const { count, connectingMax, perSecond } = this.#options;
    const allowed =
      perSecond === 0
        ? Number.POSITIVE_INFINITY
        : 1 + Math.floor(((nowUs - this.#startUs) / MICROS_PER_SECOND) * perSecond);
    const due = this.#takeDue(nowUs);
    while (this.#opening.size < connectingMax && this.#begun < allowed) {
      const index = due.pop()?.index ?? (this.#next < count ? this.#next++ : undefined);
      if (index === undefined) break;
      this.#begun++;
      this.#opening.set(index, nowUs);
      this.#options.open(index);
    }
    this.#waiting.push(...due);
  }

  #takeDue(nowUs: number): { readonly index: number; readonly dueUs: number }[] {
    if (this.#waiting.length === 0) return [];
    const due = this.#waiting.filter((wait) => wait.dueUs <= nowUs);
    if (due.length > 0) this.#waiting = this.#waiting.filter((wait) => wait.dueUs > nowUs);
    return due;
  }

  #finishIfOpen(): void {
    if (this.#openCount === this.#options.count) this.stop();
  }

  #giveUp(reason: string, ending: Ending): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#options.onFailed(reason, ending);
  }
}
