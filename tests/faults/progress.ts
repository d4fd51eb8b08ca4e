const BAR_CHARACTERS = 24;
const REDRAW_MS = 500;

/** Progress of a long run: a bar on a terminal, otherwise only the permanent lines. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #totalMs: number;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #what = '';

  constructor(out: NodeJS.WriteStream, totalMs: number) {
    this.#out = out;
    this.#totalMs = totalMs;
    if (out.isTTY) this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  /** Shows the current step. */
  doing(what: string): void {
    this.#what = what;
    if (this.#timer !== undefined) this.#draw();
  }

  /** Prints a permanent line. */
  line(text: string): void {
    this.#out.write(this.#timer === undefined ? `${text}\n` : `\r\x1b[K${text}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#timer !== undefined) this.#out.write('\r\x1b[K');
  }

  #draw(): void {
    const ms = performance.now() - this.#startedAt;
    const share = Math.min(1, ms / Math.max(1, this.#totalMs));
    const done = Math.round(share * BAR_CHARACTERS);
    const bar = '█'.repeat(done) + '░'.repeat(BAR_CHARACTERS - done);
    const text = `${bar} ${clock(ms)} of ${clock(this.#totalMs)}  ${this.#what}`;
    this.#out.write(`\r\x1b[K${text.slice(0, (this.#out.columns ?? 80) - 1)}`);
  }
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
