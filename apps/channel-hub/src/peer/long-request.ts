/** What one turn of the event loop may cost, in bytes handed out. */
const TURN_WORK_BYTES_MAX = 1024 * 1024;

/** What a piece of a request costs beside what it hands out. */
const PIECE_WORK_BYTES = 256 * 1024;

/** Whose request it is. */
interface LongRequestOwner {
  /** Reads nothing from the peer until `resume`. */
  pause(): void;
  resume(): void;
  /** What was handed out since the start, to whomever, in bytes. */
  readonly work: number;
  /** A piece threw. */
  failed(error: unknown): void;
}

/**
 * A request that takes more than one turn of the event loop. Nothing else is read from its peer
 * meanwhile, so that requests stay in their order; and no piece is done while the peer is paused
 * for another reason.
 */
export class LongRequest {
  readonly #owner: LongRequestOwner;
  /** Answers whether there is more. Undefined while there is no such request. */
  #doPiece: (() => boolean) | undefined;
  #turn: NodeJS.Immediate | undefined;
  #isPaused = false;

  constructor(owner: LongRequestOwner) {
    this.#owner = owner;
  }

  /** To be called while a request is read. `doPiece` answers whether there is more to do. */
  begin(doPiece: () => boolean): void {
    this.#doPiece = doPiece;
    this.#owner.pause();
    this.#schedule();
  }

  pause(): void {
    this.#isPaused = true;
    this.#owner.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#doPiece === undefined) this.#owner.resume();
    else this.#schedule();
  }

  /** Its peer is gone: what is left of the request is not done. */
  end(): void {
    this.#doPiece = undefined;
    clearImmediate(this.#turn);
    this.#turn = undefined;
  }

  #schedule(): void {
    this.#turn ??= setImmediate(() => this.#doTurn());
  }

  #doTurn(): void {
    this.#turn = undefined;
    try {
      if (this.#isPaused) return;
      if (this.#doPieces()) this.#schedule();
      else if (this.#doPiece !== undefined) {
        this.#doPiece = undefined;
        // It may have been paused by what the last piece handed out.
        if (!this.#isPaused) this.#owner.resume();
      }
    } catch (error) {
      this.end();
      this.#owner.failed(error);
    }
  }

  /** Whether there is more. */
  #doPieces(): boolean {
    const workMax = this.#owner.work + TURN_WORK_BYTES_MAX;
    for (let pieces = 1; ; pieces++) {
      if (this.#doPiece === undefined || !this.#doPiece()) return false;
      if (this.#owner.work + pieces * PIECE_WORK_BYTES >= workMax) return this.#doPiece !== undefined;
    }
  }
}
