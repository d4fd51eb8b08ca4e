import type { Program } from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { LOADTEST_OPTIONS, type LoadtestConfig } from './options.ts';
import { runCommandOf } from './run-command.ts';

/** Defines the program. `entry` is its main file. */
export function programOf(entry: string): Program<LoadtestConfig> {
  return {
    name: 'groupcast-loadtest',
    version: manifest.version,
    summary:
      'Load test for Groupcast and its peers. "groupcast-loadtest URL …" is short for "groupcast-loadtest run --url URL …".',
    envPrefix: 'GROUPCAST_LOADTEST',
    options: LOADTEST_OPTIONS,
    commands: { run: runCommandOf(entry) },
  };
}

/** Inserts the command and the flag that a leading URL stands for. */
export function expandUrl(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  return first !== undefined && /^wss?:/i.test(first) ? ['run', '--url', first, ...rest] : argv;
}
