import type { Writable } from 'node:stream';

/** How much a reader of the log may lag behind before lines are dropped. */
const LOG_BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Takes log lines to a stream and never blocks, throws or grows: a line that finds no room, because the reader is gone, is
 * slow, or the disk is full, is dropped and counted. Each line is tried anew, so that logging resumes when it can.
 */
export class LogSink {
  readonly #stream: Writable;
  readonly #backlogBytesMax: number;
  #dropped = 0;

  // One callback for all lines: it counts those that the stream had accepted and then could not write.
  readonly #written = (error: Error | null | undefined): void => {
    if (error) this.#dropped++;
  };

  constructor(stream: Writable, backlogBytesMax: number = LOG_BACKLOG_BYTES_MAX) {
    this.#stream = stream;
    this.#backlogBytesMax = backlogBytesMax;
    // Without a listener, a reader that left (EPIPE) would end the process. The callback has counted the line.
    stream.on('error', ignore);
  }

  /** How many lines were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    if (this.#stream.writableLength + Buffer.byteLength(line) > this.#backlogBytesMax) this.#dropped++;
    else this.#stream.write(line, this.#written);
  }
}

function ignore(): void {}
