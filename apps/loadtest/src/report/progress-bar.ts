import type { Progress } from '../control/run.ts';

const BAR_CHARS = 24;
const CLEAR_LINE = '\r\u001b[2K';

/** A progress bar on a terminal. Without a terminal it does nothing. */
export class ProgressBar {
  readonly #out: Pick<NodeJS.WriteStream, 'write'> | undefined;

  constructor(out: Pick<NodeJS.WriteStream, 'write'> | undefined) {
    this.#out = out;
  }

  show({ phase, share, open, deliveries }: Progress): void {
    const full = Math.round(share * BAR_CHARS);
    const bar = '█'.repeat(full) + '░'.repeat(BAR_CHARS - full);
    this.#out?.write(`${CLEAR_LINE}${bar} ${phase}: ${open} connections, ${deliveries} deliveries`);
  }

  /** Erases the line. */
  clear(): void {
    this.#out?.write(CLEAR_LINE);
  }
}
