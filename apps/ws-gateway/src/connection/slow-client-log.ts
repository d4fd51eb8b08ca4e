import { type Log, LogLimiter } from '@groupcast/service';

/** Fields of a slow client in the log. */
export interface SlowClient {
  readonly id: string;
  readonly remoteAddress: string;
  readonly bufferedBytes: number;
}

/** Logs a line for each client that is closed as slow, and a summary when there are many. */
export class SlowClientLog {
  readonly #log: Log;
  readonly #limiter: LogLimiter;

  constructor(log: Log) {
    this.#log = log;
    this.#limiter = new LogLimiter({
      report: (_reason, heldBack) =>
        log.warn({ heldBack }, 'more clients were closed because they read too slowly'),
    });
  }

  /** `isCut`: closed without a close frame, to free memory. */
  closed({ id, remoteAddress, bufferedBytes }: SlowClient, isCut: boolean): void {
    if (!this.#limiter.take('slow')) return;
    const sentence = isCut
      ? 'a client was cut because it reads too slowly and the buffers of all clients are full'
      : 'a client was closed because it reads too slowly';
    this.#log.warn({ clientId: id, address: remoteAddress, bufferedBytes }, sentence);
  }

  /** Stops the timer, and logs the pending summary. */
  close(): void {
    this.#limiter.close();
  }
}
