import { GroupcastError } from './groupcast-error.ts';
import type { Command, Position } from './wire.ts';

/** A message that is not answered yet. */
export interface Publish {
  readonly command: Extract<Command, { cmd: 'send_to_group' }>;
  /** Of the command on the wire. */
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly resolve: (position: Position) => void;
  readonly reject: (error: GroupcastError) => void;
  isUnderWay: boolean;
  /** Whether an attempt had an end that does not rule out that it was published. */
  isUncertain: boolean;
  /** Times that it was refused for now. */
  attempt: number;
  /** Not to be sent before. */
  retryAtMs: number;
}

const NOT_SENT = 'The message was not published. Send it again later.';
const UNKNOWN = 'The message may have been published. Sent again, it may come twice.';

/** Messages from `send` to their answer, in the order in which they were given. */
export class SendQueue {
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #all = new Set<Publish>();
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#all.size;
  }

  /** False when there is no room. */
  add(publish: Publish): boolean {
    const bytes = this.#bytes + publish.bytes;
    if (this.#all.size >= this.#countMax || bytes > this.#bytesMax) return false;
    this.#all.add(publish);
    this.#bytes = bytes;
    return true;
  }

  /**
   * The next to be sent. While the oldest waits for its time so do all behind it: what keeps one from being published keeps them
   * all, and they are to stay in order.
   */
  next(nowMs: number): Publish | undefined {
    for (const publish of this.#all) {
      if (!publish.isUnderWay) return publish.retryAtMs <= nowMs ? publish : undefined;
    }
    return undefined;
  }

  published(publish: Publish, position: Position): void {
    this.#remove(publish);
    publish.resolve(position);
  }

  /** The gateway will not have it. */
  refuse(publish: Publish, error: GroupcastError): void {
    this.#fail(publish, error, error);
  }

  /** Tries those no more that match; `cause` is what has kept them. */
  giveUp(matches: (publish: Publish) => boolean, cause: GroupcastError | undefined): void {
    for (const publish of this.#all) {
      if (matches(publish)) this.#fail(publish, new GroupcastError('not_sent', NOT_SENT, { cause }), cause);
    }
  }

  /** What may have been published is not called refused. */
  #fail(publish: Publish, refusal: GroupcastError, cause: GroupcastError | undefined): void {
    this.#remove(publish);
    const isUnknown = publish.isUnderWay || publish.isUncertain;
    publish.reject(isUnknown ? new GroupcastError('outcome_unknown', UNKNOWN, { cause }) : refusal);
  }

  #remove(publish: Publish): void {
    if (this.#all.delete(publish)) this.#bytes -= publish.bytes;
  }
}
