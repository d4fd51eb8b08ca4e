/**
 * What a history must fulfil.
 *
 * | code | invariant |
 * | --- | --- |
 * | C1 | nothing is received or acknowledged that was not sent before, nothing that was refused, nothing that was changed on its way |
 * | C2 | one message at each (group, epoch, offset), for everybody |
 * | C3 | a member's offsets rise: nothing twice, nothing out of order |
 * | C4 | … and none is left out |
 * | C5 | messages of one publisher to one group stand in the order in which they were sent |
 * | C6 | at the end each member that is there has every acknowledged message behind its start |
 * | C7 | another epoch, or a hole, is announced; `recovered: true` goes on exactly where the member was |
 * | C8 | one offset for each message: what is repeated is not stored twice |
 * | C9 | what was sent after another message was acknowledged stands behind it |
 * | C12 | only members get messages, only those of their groups, and not their own where they excluded themselves |
 *
 * PHP peers are not told offsets: of them C1, C3, C5 and C12 are asked, C3 and C5 as long as one connection lasts; what they miss is counted.
 *
 * C10 (memory and queues) and C11 (liveness) cannot be seen in a history: the suites measure them.
 */
export type InvariantCode = 'C1' | 'C2' | 'C3' | 'C4' | 'C5' | 'C6' | 'C7' | 'C8' | 'C9' | 'C12';

export interface Violation {
  readonly code: InvariantCode;
  /** What is wrong, with names and positions. */
  readonly what: string;
}

/** Why a PHP peer did not hear a message. `while connected` is a loss that nothing explains: it heard what stands before and what stands behind. */
export type LossCause = 'nobody had it' | 'not connected' | 'while connected';

/** How often what happened. */
export interface Counts {
  readonly invoked: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** Publishes whose outcome the publisher was told to be unknown. */
  readonly unknown: number;
  /** Publishes that were never answered. */
  readonly unanswered: number;
  readonly received: number;
  readonly firstJoins: number;
  readonly recovered: number;
  /** Members that were told that they missed something, by reason: `recovered: false` and `gap`. */
  readonly notRecovered: ReadonlyMap<string, number>;
  /** Messages that stand in two epochs, because their answer was lost with a hub that forgot them. */
  readonly inTwoEpochs: number;
  /** What PHP peers heard. */
  readonly heard: number;
  /** What they did not hear, for each of them. */
  readonly losses: ReadonlyMap<LossCause, number>;
  /** Faults that happened, by name. */
  readonly faults: ReadonlyMap<string, number>;
}

export interface Verdict {
  /** `unknown`: nothing is wrong in what was seen, and too little was seen. That is a failure. */
  readonly valid: boolean | 'unknown';
  /** The first of each code, up to VIOLATIONS_SHOWN_MAX. */
  readonly violations: readonly Violation[];
  readonly violationsByCode: ReadonlyMap<InvariantCode, number>;
  /** Why the run says nothing. */
  readonly unknownWhy: readonly string[];
  readonly counts: Counts;
}

/** Of each code; the others are only counted. */
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
