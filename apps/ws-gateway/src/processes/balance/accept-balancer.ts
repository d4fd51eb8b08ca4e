/** Who takes connections and can be told to let others take them. */
export interface Taker {
  pause(): void;
  resume(): void;
  /** To be answered with the counts, at once. */
  ask(): void;
}

/** What a taker says of itself. */
export interface Takings {
  /** Connections that it has taken since it started. */
  readonly taken: number;
  /** Connections that it has now. */
  readonly connections: number;
}

interface Standing {
  taken: number;
  connections: number;
  /** What it has taken, with less weight for one that has few: it may take more of them. */
  turn: number;
  isPaused: boolean;
  /** It was asked, and has not answered. */
  isAsked: boolean;
  /** It hangs: nobody waits for it. */
  isPassedOver: boolean;
}

/** Whoever is ahead by this share of the mean number of connections waits for the others; with few connections, by one. */
const LEAD_SHARE = 1 / 12;

/** Whoever has clearly fewer connections than the mean takes so many times as many new ones. No more, lest one alone takes a storm. */
const BEHIND_WEIGHT = 4;

/** How long one may take to answer while others wait for it, in milliseconds. */
const ANSWER_MS = 250;

/**
 * Keeps workers level that take connections from one socket: whoever is ahead pauses until the others have caught up. Whoever is
 * furthest behind, of those that answer, never pauses, so that there always is one that takes them.
 */
export class Turns<T extends Taker> {
  readonly #standings = new Map<T, Standing>();
  #timer: NodeJS.Timeout | undefined;
  /** Something was taken since the last look. */
  #hasMoved = false;

  /** It takes connections from now on. */
  join(taker: T): void {
    if (this.#standings.has(taker)) return;
    const turn = this.#floor();
    const isAny = Number.isFinite(turn);
    this.#standings.set(taker, { ...NEWCOMER, turn: isAny ? turn : 0 });
  }

  /** It takes no more: it is gone, or about to go. */
  leave(taker: T): void {
    if (!this.#standings.delete(taker)) return;
    this.#level();
  }

  heard(taker: T, { taken, connections }: Takings): void {
    const standing = this.#standings.get(taker);
    if (standing === undefined) return;
    const more = taken - standing.taken;
    standing.isAsked = false;
    standing.taken = taken;
    standing.connections = connections;
    if (standing.isPassedOver) {
      // Others have gone on without it, and must not wait until it has taken as many.
      const floor = this.#floor();
      if (Number.isFinite(floor)) standing.turn = Math.max(standing.turn, floor);
      standing.isPassedOver = false;
    }
    standing.turn += more / this.#weightOf(connections);
    this.#hasMoved ||= more > 0;
    this.#level();
  }

  /** Called once a second: looks after those that are waited for, and those that did not answer. */
  tick(): void {
    for (const [taker, { isPassedOver }] of this.#standings) if (isPassedOver) taker.ask();
    this.#hasMoved = true;
    this.#lookLater();
  }

  #level(): void {
    const floor = this.#floor();
    const lead = leadOf(this.#mean());
    for (const [taker, standing] of this.#standings) {
      const ahead = standing.turn - floor;
      if (standing.isPaused && ahead <= lead / 2) {
        standing.isPaused = false;
        taker.resume();
      } else if (!standing.isPaused && !standing.isPassedOver && ahead >= lead) {
        standing.isPaused = true;
        taker.pause();
      }
    }
    this.#lookLater();
  }

  #lookLater(): void {
    if (this.#isAnyPaused) this.#timer ??= setTimeout(() => this.#look(), ANSWER_MS);
    else this.#stopLooking();
  }

  /** Passes over those that were asked and have not answered, and asks again where something goes on. */
  #look(): void {
    this.#timer = undefined;
    let isAnyLate = false;
    for (const [taker, standing] of this.#standings) {
      if (standing.isPaused || standing.isPassedOver) continue;
      if (standing.isAsked) {
        standing.isPassedOver = true;
        standing.isAsked = false;
        isAnyLate = true;
      } else if (this.#hasMoved) {
        standing.isAsked = true;
        taker.ask();
      }
    }
    const wasMoved = this.#hasMoved;
    this.#hasMoved = false;
    if (isAnyLate) this.#level();
    else if (wasMoved) this.#lookLater();
  }

  #stopLooking(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  get #isAnyPaused(): boolean {
    for (const { isPaused } of this.#standings.values()) if (isPaused) return true;
    return false;
  }

  /** The turn of whoever is furthest behind; infinity, which lets all go on, where nobody answers. */
  #floor(): number {
    let floor = Number.POSITIVE_INFINITY;
    for (const { turn, isPassedOver } of this.#standings.values()) {
      if (!isPassedOver) floor = Math.min(floor, turn);
    }
    return floor;
  }

  #mean(): number {
    let sum = 0;
    for (const { connections } of this.#standings.values()) sum += connections;
    return sum / Math.max(1, this.#standings.size);
  }

  #weightOf(connections: number): number {
    const mean = this.#mean();
    return connections < mean - leadOf(mean) / 2 ? BEHIND_WEIGHT : 1;
  }
}

/** How far ahead of the last one whoever waits is, in connections. */
function leadOf(mean: number): number {
  return Math.max(1, mean * LEAD_SHARE);
}

const NEWCOMER: Standing = {
  taken: 0,
  connections: 0,
  turn: 0,
  isPaused: false,
  isAsked: false,
  isPassedOver: false,
};
