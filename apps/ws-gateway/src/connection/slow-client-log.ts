import { type Log, LogLimiter } from '@groupcast/service';

/** What is said of a slow client. */
export interface SlowClient {
  readonly id: string;
  readonly remoteAddress: string;
  readonly bufferedBytes: number;
}

/** One line for each client that was closed because it reads too slowly, and fewer when there are many. */
export class SlowClientLog {
  readonly #log: Log;
  readonly #limiter: LogLimiter;

  constructor(log: Log) {
    this.#log = log;
    this.#limiter = new LogLimiter({
      report: (_reason, heldBack) => log.warn({ heldBack }, 'more clients were closed: they read too slowly'),
    });
  }

  /** `isCut`: without a close frame, to make room. */
  closed({ id, remoteAddress, bufferedBytes }: SlowClient, isCut: boolean): void {
    if (!this.#limiter.take('slow')) return;
    const sentence = isCut
      ? 'a client was cut: it reads too slowly, and all buffers together are full'
      : 'a client was closed: it reads too slowly';
    this.#log.warn({ clientId: id, address: remoteAddress, queuedBytes: bufferedBytes }, sentence);
  }

  /** Ends the timer, and reports what was held back. */
  close(): void {
    this.#limiter.close();
  }
}
