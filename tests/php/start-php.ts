import { fileURLToPath } from 'node:url';
import { startProcess, type TestProcess } from '@groupcast/testkit';
import { hasPhp } from './find-php.ts';

/** Without PHP these tests are skipped, but not in CI: there they fail. */
export const withoutPhp: boolean = !hasPhp() && !process.env['CI'];

/** Starts one of our PHP scripts. */
export function startPhp(script: string, ...args: readonly (string | number)[]): TestProcess {
  const file = fileURLToPath(new URL(`scripts/${script}.php`, import.meta.url));
  // Without ini files, because one may set serialize_precision; PHP's warnings are not part of the
  // output.
  return startProcess('php', ['-n', '-d', 'display_errors=stderr', file, ...args.map(String)]);
}

/** Starts a script that prints `subscribed`, and resolves then. */
export async function startSubscriber(
  script: string,
  ...args: readonly (string | number)[]
): Promise<TestProcess> {
  const child = startPhp(script, ...args);
  await child.waitForLine(/^subscribed\b/);
  return child;
}

/** Runs a script to a successful end, and returns its output. */
export async function runPhp(script: string, ...args: readonly (string | number)[]): Promise<string[]> {
  const child = startPhp(script, ...args);
  const end = await child.finished;
  if (end.code !== 0) throw new Error(`${script}.php ended with ${end.signal ?? end.code}: ${child.stderr}`);
  return [...child.lines.all];
}
