import type { Ending } from './connection.ts';

/** Dependencies and limits of an Opener. */
export interface OpenerOptions {
  readonly count: number;
  /** Limit of connections that are being opened at a time. */
  readonly connectingMax: number;
  /** Limit of attempts per second; 0: no limit. */
  readonly perSecond: number;
  /** Starts to open the connection with that index; `opened` or `failed` follows. */
  readonly open: (index: number) => void;
  /** Aborts an attempt that takes too long; `failed` follows. */
  readonly abandon: (index: number) => void;
  readonly nowUs: () => number;
  readonly onOpened: (handshakeUs: number) => void;
  /** Called when all are open, or after `stop`. */
  readonly onDone: () => void;
  readonly onFailed: (reason: string, ending: Ending) => void;
}

const TICK_MS = 10;
const MICROS_PER_SECOND = 1_000_000;

/** Milliseconds in which a connection must be opened and joined. */
const ATTEMPT_TIMEOUT_US = 30 * MICROS_PER_SECOND;

/** Milliseconds without a success after which the server is down rather than busy. */
const STUCK_US = 60 * MICROS_PER_SECOND;

/** Retries of a connection that breaks for another reason than a busy server. */
const BREAKS_MAX = 5;
const BREAK_PAUSE_MS = 500;

/** Adds some delay to the requested one, so that rejected clients do not return together. */
const RETRY_SPREAD = 0.25;

/** Opens connections: some at a time, limited per second, with retries when the server is busy. */
export class Opener {
  readonly #options: OpenerOptions;
  /** Start of each attempt by index. */
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

  /** Number of attempts that were rejected or broke, and were retried. */
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

  /** Opens no more connections. */
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

  /** Handles the end of the connection. Returns false when it was already open. */
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
      this.#giveUp(`The server has accepted no connection for ${STUCK_US / MICROS_PER_SECOND} seconds.`, {
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
