import { type ChildProcess, spawn } from 'node:child_process';
import { EventQueue } from '../waiting/event-queue.ts';
import { until } from '../waiting/until.ts';
import { killProcessGroup, processGroup } from './process-group.ts';
import { bindToThisProcess, unbind } from './reaper.ts';

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  /** Added to this process's own; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Whether it has an input to write to. Default: it has none. */
  readonly stdin?: boolean;
}

const started = new Set<TestProcess>();

/** A child process, in a process group of its own. */
export class TestProcess {
  readonly pid: number;
  /** Its output, line by line, from both streams as they came. */
  readonly lines: EventQueue<string> = new EventQueue('line of output');
  /** When the process is gone; its children may still write. */
  readonly exited: Promise<ProcessExit>;
  /** When it and all who could write to its output are gone: the output is complete. */
  readonly finished: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #output = { stdout: '', stderr: '' };

  constructor(command: string, args: readonly string[], options: ProcessOptions) {
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.stdin === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    // A command that cannot be started has no pid, which is said below.
    this.#child.on('error', () => {});
    if (this.#child.pid === undefined) throw new Error(`Cannot start ${command}: is it installed?`);
    this.pid = this.#child.pid;
    this.exited = this.#end('exit');
    this.finished = this.#end('close');
    // What it no longer reads when it ends is its own business.
    this.#child.stdin?.on('error', () => {});
    this.#collect('stdout');
    this.#collect('stderr');
    void this.finished.then(({ code, signal }) => this.lines.end(`the process ended (${signal ?? code})`));
  }

  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  /** The first line of its output that matches, whether it is there already or still to come. */
  waitForLine(pattern: RegExp): Promise<string> {
    return this.lines.seen((line) => pattern.test(line));
  }

  /** Writes to its input, which must have been asked for. */
  write(text: string): void {
    if (this.#child.stdin === null) throw new Error('The process was started without an input.');
    this.#child.stdin.write(text);
  }

  /** Signals this one process, not its children. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  /** The live processes that come from it: children, theirs, and orphans when it is gone itself. */
  descendants(): number[] {
    return processGroup(this.pid).filter((pid) => pid !== this.pid);
  }

  #end(event: 'exit' | 'close'): Promise<ProcessExit> {
    return new Promise((resolve) => {
      this.#child.once(event, (code, signal) => resolve({ code, signal }));
    });
  }

  #collect(name: 'stdout' | 'stderr'): void {
    const stream = this.#child[name];
    let begun = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => {
      this.#output[name] += text;
      const lines = `${begun}${text}`.split('\n');
      begun = lines.pop() ?? '';
      for (const line of lines) this.lines.push(line);
    });
    stream?.on('end', () => {
      if (begun !== '') this.lines.push(begun);
    });
  }
}

/**
 * Starts a command. It lives until it ends by itself, until `killAll`, or at the longest as long as
 * this process.
 */
export function startProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): TestProcess {
  const child = new TestProcess(command, args, options);
  started.add(child);
  bindToThisProcess(child.pid);
  return child;
}

/**
 * Kills every process that was started here, with its descendants, and resolves when none is left.
 * For `afterEach`.
 */
export async function killAll(): Promise<void> {
  const doomed = [...started];
  started.clear();
  for (const { pid } of doomed) killProcessGroup(pid, 'SIGKILL');
  for (const { pid, exited } of doomed) {
    await exited;
    await until(
      () => processGroup(pid),
      `the end of process group ${pid}`,
      (left) => left.length === 0,
    );
    unbind(pid);
  }
}
