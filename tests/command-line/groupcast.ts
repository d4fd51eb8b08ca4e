import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, killAll, REPOSITORY, startProcess, type TestProcess, until } from '@groupcast/testkit';
import { processesIn } from '../fresh-clone/processes-in.ts';

const MAIN = join(REPOSITORY, 'apps', 'groupcast', 'dist', 'main.js');

/** The command `groupcast` in an empty folder. */
export class Groupcast {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'groupcast-command-')));

  /** Starts a command. `under` is a command that becomes node: `['prlimit', '--nofile=256']`. */
  start(args: readonly string[], under: readonly string[] = []): TestProcess {
    const [command = '', ...rest] = [...under, process.execPath, MAIN, ...args];
    return startProcess(command, rest, { cwd: this.folder });
  }

  /** Starts a command whose output a command of the shell reads. */
  pipe(args: readonly string[], reader: string): TestProcess {
    const script = `"$@" | ${reader}`;
    return startProcess('/bin/sh', ['-c', script, 'sh', process.execPath, MAIN, ...args], {
      cwd: this.folder,
    });
  }

  /** Runs a command to its end. */
  async run(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = this.start(args);
    const { code } = await child.finished;
    return { code, stdout: child.stdout, stderr: child.stderr };
  }

  /** Returns the processes that run in the folder, with their command lines. */
  processes(): string[] {
    return [...processesIn(this.folder).values()];
  }

  /** Resolves when no process runs in the folder. */
  async untilEmpty(): Promise<void> {
    await until(
      () => this.processes(),
      `the end of all processes in ${this.folder}`,
      (left) => left.length === 0,
    );
  }

  /** Ends whatever is left, and removes the folder. */
  async remove(): Promise<void> {
    await killAll();
    await this.untilEmpty();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Ports of a development system. */
export interface DevPorts {
  readonly port: number;
  readonly adminPort: number;
  readonly hubPort: number;
  readonly hubAdminPort: number;
}

export async function freePorts(): Promise<DevPorts> {
  const [port, adminPort, hubPort, hubAdminPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  return { port, adminPort, hubPort, hubAdminPort };
}

export function portFlags({ port, adminPort, hubPort, hubAdminPort }: DevPorts): string[] {
  return [
    `--port=${port}`,
    `--admin-port=${adminPort}`,
    `--hub-port=${hubPort}`,
    `--hub-admin-port=${hubAdminPort}`,
  ];
}
