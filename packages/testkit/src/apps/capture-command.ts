/** Outputs of a command, and the text of the config file that it reads. */
export interface CapturedIo {
  print(text: string): void;
  printError(text: string): void;
  readFile(path: string): string;
}

/** Exit code and texts of a command that ran in this process. */
export interface CapturedCommand {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/**
 * Runs a command in this process and captures its texts. `run` is `runCommand` of a program;
 * `configFile` is the text of the file that `--config` names.
 */
export async function captureCommand(
  run: (io: CapturedIo) => Promise<number>,
  configFile = '',
): Promise<CapturedCommand> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run({
    print: (text) => void out.push(text),
    printError: (text) => void err.push(text),
    readFile: () => configFile,
  });
  return { code, out, err };
}
