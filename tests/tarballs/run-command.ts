import { type ProcessOptions, startProcess } from '@groupcast/testkit';

/** Runs a command to its end. Returns its stdout, and throws with all its output when it fails. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<string> {
  const child = startProcess(command, args, options);
  const { code, signal } = await child.finished;
  if (code !== 0) {
    throw new Error(
      `${[command, ...args].join(' ')} ended with ${signal ?? code}: ${child.stdout}${child.stderr}`,
    );
  }
  return child.stdout;
}
