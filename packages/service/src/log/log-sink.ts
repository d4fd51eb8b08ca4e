import type { Writable } from 'node:stream';

/** Bytes that a reader of the log may be behind before lines are dropped. */
const LOG_BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Writes log lines to a stream, and never blocks, throws or grows. A line without room is dropped
 * and counted: the reader is gone or slow, or the disk is full. Each line is tried again, so
 * logging resumes as soon as it can.
 */
export class LogSink {
  readonly #stream: Writable;
  readonly #backlogBytesMax: number;
  #dropped = 0;

  // One callback for all lines: it counts those that the stream accepted and could not write.
  readonly #written = (error: Error | null | undefined): void => {
    if (error) this.#dropped++;
  };

  constructor(stream: Writable, backlogBytesMax: number = LOG_BACKLOG_BYTES_MAX) {
    this.#stream = stream;
    this.#backlogBytesMax = backlogBytesMax;
    // Without a listener, a closed pipe (EPIPE) would end the process. The callback counts the
    // line.
    stream.on('error', ignore);
  }

  /** Number of lines that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    if (this.#stream.writableLength + Buffer.byteLength(line) > this.#backlogBytesMax) this.#dropped++;
    else this.#stream.write(line, this.#written);
  }
}

function ignore(): void {}
