import { nodeVersionProblem } from '../process/node-version.ts';
import type { Program } from './program.ts';
import { runCommand } from './run-command.ts';

/** Time that unread log lines may delay the end of the process, in milliseconds. */
const EXIT_GRACE_MS = 1_000;

/**
 * Runs a program; its `main.ts` calls nothing else. Checks the Node version, runs `argv` (by
 * default the command line of this process), and ends the process with the exit code. Never
 * rejects.
 */
export async function runMain<C extends object>(
  program: Program<C>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const problem = nodeVersionProblem(process.version);
  if (problem !== undefined) {
    process.stderr.write(`${program.name}: ${problem}\n`);
    process.exit(1);
  }
  // The reader of the output may close it at any time (`status | head -1`), and the disk may be
  // full. Without listeners, either would end a running service, and there is no other output to
  // report it on.
  process.stdout.on('error', ignore);
  process.stderr.on('error', ignore);

  process.exitCode = await runCommand(program, argv, process.env);
  // The process ends by itself with its last handle, but unread log lines in a full pipe would keep
  // it forever. Output on stdout is waited for: a pager may be slow.
  process.stdout.write('', () => setTimeout(() => process.exit(), EXIT_GRACE_MS).unref());
}

function ignore(): void {}
