import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { killAll, REPOSITORY, startProcess, type TestProcess, until } from '@groupcast/testkit';
import { processesIn } from './processes-in.ts';

// npm runs scripts with sh, and the starters in node_modules/.bin are shell scripts that call the
// others.
const SYSTEM_TOOLS = ['sh', 'dirname', 'basename', 'sed', 'uname'];

// Settings of the user who runs the tests, which a newcomer does not have. The registry is the
// machine's.
const SETTINGS =
  /^(CI|TEST|DEV|PROD|MODE|VITEST.*|NODE_(ENV|OPTIONS|PATH)|PNPM_.*|TURBO_.*|GROUPCAST_.*|npm_(?!config_(registry|cafile|.*proxy)).*)$/;

/**
 * A user with a clone of the repository in an empty folder, on a machine with only Node and npm.
 */
export class Newcomer {
  readonly clone: string;
  readonly #folder: string;
  readonly #env: Record<string, string | undefined>;

  constructor() {
    // Processes are found by this path, and the kernel tells the real one.
    this.#folder = realpathSync(mkdtempSync(join(tmpdir(), 'groupcast-newcomer-')));
    this.clone = join(this.#folder, 'clone');
    execFileSync('git', ['clone', '--quiet', REPOSITORY, this.clone]);
    const hidden = Object.keys(process.env).filter((name) => SETTINGS.test(name));
    this.#env = {
      ...Object.fromEntries(hidden.map((name) => [name, undefined])),
      PATH: this.#toolFolder(),
    };
  }

  npm(...args: string[]): TestProcess {
    return startProcess(join(this.#folder, 'bin', 'npm'), args, { cwd: this.clone, env: this.#env });
  }

  /** Its processes that live, with their command lines. */
  processes(): string[] {
    return [...processesIn(this.#folder).values()];
  }

  /** Ends whatever is left, and removes the folder. */
  async leave(): Promise<void> {
    // Turbo gives its tasks process groups of their own, which `killAll` does not know.
    for (const pid of processesIn(this.#folder).keys()) process.kill(pid, 'SIGKILL');
    await killAll();
    await until(
      () => this.processes(),
      `the end of all processes in ${this.#folder}`,
      (left) => left.length === 0,
    );
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #toolFolder(): string {
    const folder = join(this.#folder, 'bin');
    mkdirSync(folder);
    symlinkSync(process.execPath, join(folder, 'node'));
    for (const tool of ['npm', ...SYSTEM_TOOLS]) {
      symlinkSync(realpathSync(which(tool)), join(folder, tool));
    }
    return folder;
  }
}

/** Finds a tool, first beside this Node: `node` on the PATH may be another one. */
function which(tool: string): string {
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
  return execFileSync('/bin/sh', ['-c', 'command -v "$0"', tool], {
    env: { PATH: path },
    encoding: 'utf8',
  }).trim();
}
