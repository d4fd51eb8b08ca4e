/** Work of one event-loop turn, in bytes delivered. */
const TURN_WORK_BYTES_MAX = 1024 * 1024;

/** Cost of one piece of a request beside the bytes that it delivers, in bytes. */
const PIECE_WORK_BYTES = 256 * 1024;

/** Source of the requests of one peer. */
interface PausableSource {
  /** Stops reading from the peer until `resume`. */
  pause(): void;
  resume(): void;
}

/**
 * A request that takes more than one event-loop turn. Nothing else is read from its peer meanwhile,
 * which keeps requests in order. While the peer is paused for another reason, no piece is done.
 */
export class LongRequest {
  readonly #source: PausableSource;
  readonly #work: () => number;
  readonly #failed: (error: unknown) => void;
  #doPiece: (() => boolean) | undefined;
  #nextTurn: NodeJS.Immediate | undefined;
  #isPaused = false;

  /**
   * `work` returns the bytes delivered since the start, by all peers. `failed` gets an error that a
   * piece has thrown.
   */
  constructor(source: PausableSource, work: () => number, failed: (error: unknown) => void) {
    this.#source = source;
    this.#work = work;
    this.#failed = failed;
  }

  /** Begins a request while it is being read. `doPiece` returns whether there is more to do. */
  begin(doPiece: () => boolean): void {
    this.#doPiece = doPiece;
    this.#source.pause();
    this.#schedule();
  }

  pause(): void {
    this.#isPaused = true;
    this.#source.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#doPiece === undefined) this.#source.resume();
    else this.#schedule();
  }

  /** Drops the rest of the request, because the peer has left. */
  end(): void {
    this.#doPiece = undefined;
    clearImmediate(this.#nextTurn);
    this.#nextTurn = undefined;
  }

  #schedule(): void {
    this.#nextTurn ??= setImmediate(() => this.#doTurn());
  }

  #doTurn(): void {
    this.#nextTurn = undefined;
    try {
      if (this.#isPaused) return;
      if (this.#doPieces()) this.#schedule();
      else if (this.#doPiece !== undefined) {
        this.#doPiece = undefined;
        // The last piece may have caused a pause.
        if (!this.#isPaused) this.#source.resume();
      }
    } catch (error) {
      this.end();
      this.#failed(error);
    }
  }

  /** Does the pieces of one turn. Returns whether there is more. */
  #doPieces(): boolean {
    const workMax = this.#work() + TURN_WORK_BYTES_MAX;
    for (let pieces = 1; ; pieces++) {
      if (this.#doPiece === undefined || !this.#doPiece()) return false;
      if (this.#work() + pieces * PIECE_WORK_BYTES >= workMax) return this.#doPiece !== undefined;
    }
  }
}
