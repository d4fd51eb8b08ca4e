import { nodeVersionProblem } from '../process/node-version.ts';
import type { Program } from './program.ts';
import { runCommand } from './run-command.ts';

/** How long log lines that nobody reads may hold up the end of a process that has done its work. */
const EXIT_GRACE_MS = 1_000;

/**
 * The edge of a program, and all that its `main.ts` calls: checks the Node version, runs the command line of this process,
 * and ends the process with the exit code. Never rejects.
 */
export async function runMain<C extends object>(program: Program<C>): Promise<void> {
  const problem = nodeVersionProblem(process.version);
  if (problem !== undefined) {
    process.stderr.write(`${program.name}: ${problem}\n`);
    process.exit(1);
  }
  // The reader of our output may leave at any time (`status | head -1`), and the disk behind it may fill up. Without
  // listeners, either would end a running service; there is nobody left to tell.
  process.stdout.on('error', ignore);
  process.stderr.on('error', ignore);

  process.exitCode = await runCommand(program, process.argv.slice(2), process.env);
  // The process ends by itself when its last handle is closed, but log lines in a full pipe that nobody reads would keep it
  // forever. What was printed to stdout is waited for: a pager may take its time.
  process.stdout.write('', () => setTimeout(() => process.exit(), EXIT_GRACE_MS).unref());
}

function ignore(): void {}
