/** Who takes connections and can be told to let others take them. */
export interface Acceptor {
  pause(): void;
  resume(): void;
  /** To be answered with the counts, at once. */
  ask(): void;
}

/** What a acceptor says of itself. */
export interface AcceptCounts {
  /** Connections that it has taken since it started. */
  readonly accepted: number;
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
export class AcceptBalancer<T extends Acceptor> {
  readonly #standings = new Map<T, Standing>();
  #timer: NodeJS.Timeout | undefined;
  /** Something was taken since the last look. */
  #hasMoved = false;

  /** It takes connections from now on. */
  join(acceptor: T): void {
    if (this.#standings.has(acceptor)) return;
    const turn = this.#floor();
    const isAny = Number.isFinite(turn);
    this.#standings.set(acceptor, { ...NEWCOMER, turn: isAny ? turn : 0 });
  }

  /** It takes no more: it is gone, or about to go. */
  leave(acceptor: T): void {
    if (!this.#standings.delete(acceptor)) return;
    this.#level();
  }

  heard(acceptor: T, { accepted, connections }: AcceptCounts): void {
    const standing = this.#standings.get(acceptor);
    if (standing === undefined) return;
    const more = accepted - standing.taken;
    standing.isAsked = false;
    standing.taken = accepted;
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
    for (const [acceptor, { isPassedOver }] of this.#standings) if (isPassedOver) acceptor.ask();
    this.#hasMoved = true;
    this.#lookLater();
  }

  #level(): void {
    const floor = this.#floor();
    const lead = leadOf(this.#mean());
    for (const [acceptor, standing] of this.#standings) {
      const ahead = standing.turn - floor;
      if (standing.isPaused && ahead <= lead / 2) {
        standing.isPaused = false;
        acceptor.resume();
      } else if (!standing.isPaused && !standing.isPassedOver && ahead >= lead) {
        standing.isPaused = true;
        acceptor.pause();
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
    for (const [acceptor, standing] of this.#standings) {
      if (standing.isPaused || standing.isPassedOver) continue;
      if (standing.isAsked) {
        standing.isPassedOver = true;
        standing.isAsked = false;
        isAnyLate = true;
      } else if (this.#hasMoved) {
        standing.isAsked = true;
        acceptor.ask();
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
