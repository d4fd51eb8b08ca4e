import { fileURLToPath } from 'node:url';
import { startProcess, type TestProcess } from '@groupcast/testkit';

/** Starts one of the scripts of `php/`, with an input. */
export function startFaultsPhp(script: string, port: number): TestProcess {
  const file = fileURLToPath(new URL(`../php/${script}.php`, import.meta.url));
  return startProcess('php', ['-n', '-d', 'display_errors=stderr', file, String(port)], { stdin: true });
}
