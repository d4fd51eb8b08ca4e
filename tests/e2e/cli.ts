import { REPOSITORY, startProcess } from '@groupcast/testkit';

/** Output and exit code of a command. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the gateway's program to its end. */
export async function gatewayCommand(...args: readonly string[]): Promise<CommandResult> {
  const argv = ['--import', 'tsx', 'apps/ws-gateway/src/main.ts', ...args];
  const child = startProcess(process.execPath, argv, { cwd: REPOSITORY });
  const { code } = await child.finished;
  return { code, stdout: child.stdout, stderr: child.stderr };
}
