import { type Logger as PinoLogger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { LogSink } from './log-sink.ts';

/** From all lines to none. */
type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** For people, for machines, or (auto) for people when stderr is a terminal and for machines otherwise. */
export type LogFormat = 'auto' | 'json' | 'pretty';

/** Writes one line: fields first, where there are any. Text that a client sent belongs in a field, and through `printable`. */
interface LogLine {
  (message: string): void;
  (fields: object, message: string): void;
}

/** What apps log with. Errors go into the field `error`. */
export interface Logger {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
  readonly fatal: LogLine;
  /** A logger whose lines carry these fields too. */
  child(bindings: object): Logger;
  /** From now on another level and format, for this logger; not for its children. */
  adjust(options: Pick<LoggerOptions, 'level' | 'format'>): void;
  /** How many lines of this process were lost, because nobody read them or there was no room for them. */
  dropped(): number;
}

/** What a logger needs to know. */
export interface LoggerOptions {
  /** The service, in each line: `groupcast-hub`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Fields in each line, such as the role and the worker's number. */
  readonly bindings?: object;
  /** Default auto. */
  readonly format?: LogFormat;
}

// Credentials are never meant to be logged; where one slips into a field, it is not shown.
const SECRET_FIELDS = ['token', 'secret', 'authorization'];

/**
 * A logger to stderr (stdout is for tables): lines for people on a terminal, JSON otherwise. It never blocks the service
 * and never ends it, whatever becomes of stderr: lines that cannot be written are dropped and counted.
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

/** Takes JSON lines to stderr, as they are or for people. */
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

/** Looks the method up for each line: pino puts others there when the level changes. */
function line(logger: PinoLogger, level: Exclude<LogLevel, 'silent'>): LogLine {
  return (first: object | string, message?: string) => {
    if (typeof first === 'string') logger[level](first);
    else logger[level](first, message);
  };
}
