import { type Program, runMain } from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { GENERATOR_ARGUMENT } from '../control/crew.ts';
import { runGenerator } from '../generator/generator-main.ts';
import { LOADTEST_OPTIONS, type LoadtestConfig } from './options.ts';
import { runCommandOf } from './run-command.ts';

export { GENERATOR_ARGUMENT };

/**
 * Runs the load test, or one of its generator processes, which start `entry` again. `argv` is the
 * command line, and `name` is how users write it.
 */
export async function runLoadtestProgram(
  entry: string,
  argv: readonly string[],
  name: string,
): Promise<void> {
  if (argv[0] === GENERATOR_ARGUMENT) runGenerator();
  else await runMain(programOf(entry, name), expandUrl(argv));
}

function programOf(entry: string, name: string): Program<LoadtestConfig> {
  return {
    name,
    version: manifest.version,
    summary: `Load test for Groupcast and its peers. "${name} URL …" is short for "${name} run --url URL …".`,
    envPrefix: 'GROUPCAST_LOADTEST',
    options: LOADTEST_OPTIONS,
    commands: { run: runCommandOf(entry) },
  };
}

/** Inserts the command and the flag that a leading URL stands for. */
function expandUrl(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  return first !== undefined && /^wss?:/i.test(first) ? ['run', '--url', first, ...rest] : argv;
}
