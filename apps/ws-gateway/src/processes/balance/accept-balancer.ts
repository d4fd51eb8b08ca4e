/** A process that accepts connections from the shared socket. */
export interface Acceptor {
  /**
   * Lets it accept until its count of accepted connections is `upTo`; Infinity: without a limit.
   */
  allow(upTo: number, isPaused: boolean): void;
  /** Requests its counts at once. */
  ask(): void;
}

/** Counts that an acceptor reports. */
export interface AcceptCounts {
  /** Connections accepted since it started. */
  readonly accepted: number;
  /** Open connections. */
  readonly connections: number;
  /** Whether it has reached its allowance and closed its copy of the socket. */
  readonly isPaused: boolean;
}

interface State {
  accepted: number;
  connections: number;
  isPaused: boolean;
  /** Accepted connections, where those of an underloaded acceptor count less. */
  progress: number;
  /** The `upTo` that it was sent last. */
  allowance: number;
  /** Whether a request for its counts is pending. */
  isAsked: boolean;
  /** Whether it did not answer in time: no other acceptor waits for it. */
  isUnresponsive: boolean;
  /** Whether it was resumed, and has not reported since: the message may be lost. */
  isResumed: boolean;
}

// One acceptor may be ahead of the others by half the mean number of connections while there are
// few, then by 12 connections, then by an eighth of the mean. Each pause costs a message with a
// handle, so it must not come with every connection.
const FEW_LEAD_SHARE = 1 / 2;
const FEW_LEAD_MAX = 12;
const LEAD_SHARE = 1 / 8;

/** Weight of an underloaded acceptor. Bounded, so that it does not absorb a connection storm. */
const UNDERLOADED_WEIGHT = 4;

/** Time to answer a request for counts while other acceptors are paused, in milliseconds. */
const ANSWER_MS = 250;

/**
 * Spreads connections evenly over acceptors that share a socket. Each one has an allowance: the
 * progress of the furthest behind of the others, and a lead. It pauses by itself when the
 * allowance is used up, so it is never further ahead than that. The one that is furthest behind
 * always has an allowance left.
 */
export class AcceptBalancer<T extends Acceptor> {
  readonly #states = new Map<T, State>();
  #timer: NodeJS.Timeout | undefined;
  /** Whether a connection was accepted since the last check. */
  #hasMoved = false;

  /** Adds an acceptor that has started to listen. */
  join(acceptor: T): void {
    if (this.#states.has(acceptor)) return;
    const { lowest } = this.#progress();
    const progress = Number.isFinite(lowest) ? lowest : 0;
    this.#states.set(acceptor, { ...NEWCOMER, progress });
    this.#level();
  }

  /** Removes an acceptor that has stopped to listen, or is about to. */
  leave(acceptor: T): void {
    if (this.#states.delete(acceptor)) this.#level();
  }

  report(acceptor: T, { accepted, connections, isPaused }: AcceptCounts): void {
    const state = this.#states.get(acceptor);
    if (state === undefined) return;
    if (state.isUnresponsive) {
      // The others have gone on without it, and must not wait until it has accepted as many.
      const floor = this.#progress().lowest;
      if (Number.isFinite(floor)) state.progress = Math.max(state.progress, floor);
    }
    const more = accepted - state.accepted;
    Object.assign(state, {
      accepted,
      connections,
      isPaused,
      isAsked: false,
      isUnresponsive: false,
      isResumed: false,
    });
    const mean = this.#mean();
    const isUnderloaded = mean - connections > leadOf(mean) / 4;
    state.progress += isUnderloaded ? more / UNDERLOADED_WEIGHT : more;
    this.#hasMoved ||= more > 0;
    this.#level();
  }

  /** Called once a second: checks acceptors that do not answer, and those that others wait for. */
  tick(): void {
    for (const [acceptor, { isUnresponsive, isResumed }] of this.#states) {
      if (isUnresponsive || isResumed) acceptor.ask();
    }
    this.#hasMoved = true;
    this.#schedule();
  }

  /** Sends the allowances that have changed enough to be worth a message. */
  #level(): void {
    const { lowest, owner, secondLowest } = this.#progress();
    const mean = this.#mean();
    const lead = leadOf(mean);
    const step = Math.max(1, Math.floor(lead / 2));
    for (const [acceptor, state] of this.#states) {
      const others = state === owner ? secondLowest : lowest;
      const room = others + lead - state.progress;
      // An underloaded one gets more than its room, but not more than it is behind the mean.
      const behind = mean - state.connections;
      const more = behind > lead / 4 ? Math.max(room, Math.min(room * UNDERLOADED_WEIGHT, behind)) : room;
      const upTo = state.accepted + Math.floor(more);
      const isWorthIt = state.isPaused
        ? upTo - state.accepted >= step
        : Math.abs(upTo - state.allowance) >= step;
      if (isWorthIt) this.#allow(acceptor, state, upTo);
    }
    this.#schedule();
  }

  #allow(acceptor: T, state: State, upTo: number): void {
    const { isPaused } = state;
    state.allowance = upTo;
    state.isResumed ||= isPaused;
    state.isPaused = false;
    acceptor.allow(upTo, isPaused);
  }

  #schedule(): void {
    if (this.#isAnyPaused) this.#timer ??= setTimeout(() => this.#check(), ANSWER_MS);
    else {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Leaves out acceptors that did not answer; asks again where connections were accepted. */
  #check(): void {
    this.#timer = undefined;
    let isAnyLate = false;
    for (const [acceptor, state] of this.#states) {
      if (state.isPaused || state.isUnresponsive) continue;
      if (state.isAsked) {
        state.isUnresponsive = true;
        state.isAsked = false;
        isAnyLate = true;
      } else if (this.#hasMoved) {
        state.isAsked = true;
        acceptor.ask();
      }
    }
    const hadMoved = this.#hasMoved;
    this.#hasMoved = false;
    if (isAnyLate) this.#level();
    else if (hadMoved) this.#schedule();
  }

  get #isAnyPaused(): boolean {
    for (const { isPaused } of this.#states.values()) if (isPaused) return true;
    return false;
  }

  /** The two lowest progresses of acceptors that answer; otherwise Infinity. */
  #progress(): { lowest: number; owner: State | undefined; secondLowest: number } {
    let lowest = Number.POSITIVE_INFINITY;
    let secondLowest = Number.POSITIVE_INFINITY;
    let owner: State | undefined;
    for (const state of this.#states.values()) {
      if (state.isUnresponsive) continue;
      if (state.progress < lowest) {
        secondLowest = lowest;
        lowest = state.progress;
        owner = state;
      } else if (state.progress < secondLowest) secondLowest = state.progress;
    }
    return { lowest, owner, secondLowest };
  }

  #mean(): number {
    let sum = 0;
    for (const { connections } of this.#states.values()) sum += connections;
    return sum / Math.max(1, this.#states.size);
  }
}

function leadOf(mean: number): number {
  return Math.max(1, Math.min(mean * FEW_LEAD_SHARE, FEW_LEAD_MAX), mean * LEAD_SHARE);
}

/** Connections that an acceptor may accept before it has heard from its balancer. */
export const FIRST_ALLOWANCE = 1;

const NEWCOMER: State = {
  accepted: 0,
  connections: 0,
  isPaused: false,
  progress: 0,
  allowance: FIRST_ALLOWANCE,
  isAsked: false,
  isUnresponsive: false,
  isResumed: false,
};
