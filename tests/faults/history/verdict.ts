/**
 * Invariants of a history.
 *
 * - C1: every message that is received or acknowledged was sent before, unchanged, and not rejected
 * - C2: one message at each (group, epoch, offset), the same for all members
 * - C3: a member's offsets rise: no message twice or out of order
 * - C4: … and no message is missing
 * - C5: messages of one publisher to one group have the order in which they were sent
 * - C6: at the end each member has every acknowledged message after its start
 * - C7: another epoch, or a gap, is announced; `recovered: true` continues exactly at the position
 * - C8: one offset for each message: a repetition is not stored twice
 * - C9: a message sent after the acknowledgement of another one comes after it
 * - C12: only members receive messages, only of their groups, and not those that exclude them
 * - C13: an ephemeral message has no offset, comes once or never, after what was acknowledged
 *   before it was sent, and before what was sent after it was acknowledged
 * - C14: an answer to `history` has no holes, all that was acknowledged before the request, and
 *   nothing beyond its position
 *
 * PHP peers get no offsets: C1, C3, C5 and C12 hold for them, C3 and C5 while one connection lasts;
 * the messages that they miss are counted.
 *
 * C10 (memory and buffers) and C11 (liveness) are invisible in a history: the suites measure them.
 */
export type InvariantCode =
  | 'C1'
  | 'C2'
  | 'C3'
  | 'C4'
  | 'C5'
  | 'C6'
  | 'C7'
  | 'C8'
  | 'C9'
  | 'C12'
  | 'C13'
  | 'C14';

export interface Violation {
  readonly code: InvariantCode;
  /** A violation, with names and positions. */
  readonly what: string;
}

/**
 * Reason for which a PHP peer missed a message. `while connected` is an unexplained loss: it
 * received messages before and after.
 */
export type LossCause = 'never delivered' | 'not connected' | 'while connected';

/** Counts of the events of a run. */
export interface Counts {
  readonly invoked: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** Publishes with an unknown outcome. */
  readonly unknown: number;
  /** Publishes that were never answered. */
  readonly unanswered: number;
  readonly received: number;
  readonly firstJoins: number;
  readonly recovered: number;
  /** Members that were told about missed messages, by reason: `recovered: false` and `gap`. */
  readonly notRecovered: ReadonlyMap<string, number>;
  /** Messages in two epochs: their answer was lost with a hub that forgot them. */
  readonly inTwoEpochs: number;
  /** Ephemeral messages received, counted for each member. */
  readonly ephemeral: number;
  /** Answers to `history`. */
  readonly reads: number;
  /** Messages received by PHP peers. */
  readonly heard: number;
  /** Messages missed by PHP peers, counted for each of them. */
  readonly losses: ReadonlyMap<LossCause, number>;
  /** Faults that happened, by name. */
  readonly faults: ReadonlyMap<string, number>;
}

export interface Verdict {
  /** `unknown`: no violation was seen, but too little was seen. That is a failure. */
  readonly valid: boolean | 'unknown';
  /** The first violations of each code, up to VIOLATIONS_SHOWN_MAX. */
  readonly violations: readonly Violation[];
  readonly violationsByCode: ReadonlyMap<InvariantCode, number>;
  /** Reason for which the run proves nothing. */
  readonly unknownWhy: readonly string[];
  readonly counts: Counts;
}

/** Limit of violations of each code; the others are only counted. */
const VIOLATIONS_SHOWN_MAX = 20;

/** Collects violations. */
export class Violations {
  readonly shown: Violation[] = [];
  readonly byCode: Map<InvariantCode, number> = new Map();

  add(code: InvariantCode, what: string): void {
    const count = (this.byCode.get(code) ?? 0) + 1;
    this.byCode.set(code, count);
    if (count <= VIOLATIONS_SHOWN_MAX) this.shown.push({ code, what });
  }
}
