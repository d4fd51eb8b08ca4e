/** Dependencies and limits of a ClosedLoop. */
export interface ClosedLoopOptions {
  /** Indices of the groups that it sends to. */
  readonly groups: readonly number[];
  /** Limit of messages in flight per group. */
  readonly window: number;
  /** Number of processes with members of a group: each must report a message as complete. */
  readonly parts: number;
  /** Messages for each group; undefined: until `stop`. */
  readonly messagesPerGroup: number | undefined;
  readonly publish: (group: number) => void;
  /** Called when all messages are sent and complete. */
  readonly onFinished: () => void;
}

/**
 * Milliseconds without progress after which a group's messages count as lost. Late deliveries still
 * count.
 */
const STALL_MS = 3_000;

interface GroupState {
  next: number;
  /** Missing parts of the message in each slot; 0: the slot is free. */
  readonly missing: Int32Array;
  /** Value of `next` at the last check for stalls. */
  seen: number;
  finished: boolean;
}

/** Sends the next message of a group when an earlier one has reached every member. */
export class ClosedLoop {
  readonly #options: ClosedLoopOptions;
  readonly #states: Map<number, GroupState>;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #unfinished: number;

  constructor(options: ClosedLoopOptions) {
    this.#options = options;
    const { groups, window } = options;
    const state = (): GroupState => ({
      next: 0,
      missing: new Int32Array(window),
      seen: 0,
      finished: false,
    });
    this.#states = new Map(groups.map((group) => [group, state()]));
    this.#unfinished = groups.length;
  }

  start(): void {
    this.#running = true;
    this.#timer = setInterval(() => this.#releaseStalled(), STALL_MS);
    for (const [group, state] of this.#states) this.#pump(group, state);
  }

  stop(): void {
    this.#running = false;
    clearInterval(this.#timer);
  }

  /** Handles that one part of the group has the message complete. */
  complete(group: number, sequence: number): void {
    const state = this.#states.get(group);
    if (state === undefined) return;
    const { window } = this.#options;
    const place = sequence % window;
    const missing = state.missing[place] ?? 0;
    // A message that was abandoned may complete late, when another one is in its slot.
    if (missing === 0 || sequence < state.next - window) return;
    state.missing[place] = missing - 1;
    if (missing === 1) this.#pump(group, state);
  }

  #pump(group: number, state: GroupState): void {
    const { window, parts, messagesPerGroup = Number.POSITIVE_INFINITY } = this.#options;
    while (this.#running && state.next < messagesPerGroup && state.missing[state.next % window] === 0) {
      state.missing[state.next % window] = parts;
      state.next++;
      this.#options.publish(group);
    }
    if (state.next < messagesPerGroup || state.finished || state.missing.some((parts) => parts > 0)) return;
    state.finished = true;
    this.#unfinished--;
    if (this.#unfinished === 0) this.#options.onFinished();
  }

  #releaseStalled(): void {
    for (const [group, state] of this.#states) {
      if (state.seen === state.next) {
        state.missing.fill(0);
        this.#pump(group, state);
      }
      state.seen = state.next;
    }
  }
}
