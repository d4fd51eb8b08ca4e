import { type Logger as PinoLogger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { LogSink } from './log-sink.ts';

/** Levels, from all lines to none. */
type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Format of lines: `auto` is `pretty` where stderr is a terminal, and `json` elsewhere. */
export type LogFormat = 'auto' | 'json' | 'pretty';

/**
 * Writes one line; fields come first. Text of a client belongs in a field, and passes `printable`.
 */
interface LogLine {
  (message: string): void;
  (fields: object, message: string): void;
}

/** Logger of a program. Errors go into the field `error`. */
export interface Logger {
  /** Whether debug lines are written. */
  readonly isDebug: boolean;
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
  readonly fatal: LogLine;
  /** Returns a logger whose lines have these fields as well. */
  child(bindings: object): Logger;
  /** Changes level and format of this logger, not of its children. */
  adjust(options: Pick<LoggerOptions, 'level' | 'format'>): void;
  /** Number of lines of this process that were dropped, unread or without room. */
  dropped(): number;
}

/** Options of a logger. */
export interface LoggerOptions {
  /** Name of the service, in each line: `groupcast-hub`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Fields of each line, such as the role and the worker's number. */
  readonly bindings?: object;
  /** Format of lines. Default auto. */
  readonly format?: LogFormat;
}

// Credentials are never logged on purpose; one that gets into a field is hidden.
const SECRET_FIELDS = ['token', 'secret', 'authorization'];

/**
 * Creates a logger to stderr (stdout is for tables): pretty lines on a terminal, JSON otherwise. A
 * broken stderr neither blocks nor ends the service: lines that cannot be written are dropped and
 * counted.
 */
export function createLogger(options: LoggerOptions): Logger {
  const output = new LogOutput(options.format);
  const settings = {
    name: options.name,
    level: options.level,
    base: { pid: process.pid, ...options.bindings },
    timestamp: stdTimeFunctions.isoTime,
    errorKey: 'error',
    serializers: { error: stdSerializers.err },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
  };
  return adapt(pino(settings, output), output);
}

/** Writes JSON lines to stderr, as they are or pretty. */
class LogOutput {
  readonly #sink = new LogSink(process.stderr);
  #format: ((line: string) => string) | undefined;

  constructor(format: LogFormat | undefined) {
    this.setFormat(format);
  }

  get dropped(): number {
    return this.#sink.dropped;
  }

  setFormat(format: LogFormat = 'auto'): void {
    const pretty = format === 'auto' ? process.stderr.isTTY === true : format === 'pretty';
    this.#format = pretty ? prettyLines() : undefined;
  }

  write(line: string): void {
    this.#sink.write(this.#format === undefined ? line : this.#format(line));
  }
}

/** Formats in this thread: a worker thread would lose the last lines of a process that ends. */
function prettyLines(): (line: string) => string {
  return prettyFactory({
    colorize: process.stderr.hasColors?.() ?? false,
    errorLikeObjectKeys: ['error'],
    ignore: 'pid',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  });
}

function adapt(logger: PinoLogger, output: LogOutput): Logger {
  return {
    get isDebug() {
      return logger.isLevelEnabled('debug');
    },
    debug: line(logger, 'debug'),
    info: line(logger, 'info'),
    warn: line(logger, 'warn'),
    error: line(logger, 'error'),
    fatal: line(logger, 'fatal'),
    child: (bindings) => adapt(logger.child(bindings), output),
    adjust: ({ level, format }) => {
      logger.level = level;
      output.setFormat(format);
    },
    dropped: () => output.dropped,
  };
}

/** Looks the method up for each line: pino replaces its methods when the level changes. */
function line(logger: PinoLogger, level: Exclude<LogLevel, 'silent'>): LogLine {
  return (first: object | string, message?: string) => {
    if (typeof first === 'string') logger[level](first);
    else logger[level](first, message);
  };
}
