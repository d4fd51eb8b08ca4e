import { program as gateway } from '@groupcast/gateway/program';
import { program as hub } from '@groupcast/hub/program';
import { GENERATOR_ARGUMENT, runLoadtestProgram } from '@groupcast/loadtest/program';
import { runMain } from '@groupcast/service';
import { WITH_PARENT } from '../dev/service.ts';
import { withOptionNames } from './positionals.ts';
import { programOf } from './program.ts';

/**
 * Runs the command that `argv` names: one of this program, or a whole program that it contains.
 * `entry` is the main file.
 */
export async function runCommandLine(entry: string, argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv;
  switch (name) {
    case WITH_PARENT:
      endWithParent();
      return runCommandLine(entry, rest);
    case 'hub':
      return runMain({ ...hub, name: 'groupcast hub' }, rest);
    case 'gateway':
      return runMain({ ...gateway, name: 'groupcast gateway' }, rest);
    case 'loadtest':
      return runLoadtestProgram(entry, rest, 'groupcast loadtest');
    case GENERATOR_ARGUMENT:
      return runLoadtestProgram(entry, argv, 'groupcast loadtest');
    default:
      return runMain(programOf(entry), withOptionNames(withCommand(argv)));
  }
}

/** Inserts the default command where only options are given. */
function withCommand(argv: readonly string[]): readonly string[] {
  const [first] = argv;
  const isOption = first?.startsWith('-') === true && !['--help', '-h', '--version'].includes(first);
  return first === undefined || isOption ? ['dev', ...argv] : argv;
}

/** Ends a service of `groupcast dev` when that process is gone, even if it was killed. */
function endWithParent(): void {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // The listener alone would keep the process alive.
  process.channel?.unref();
}
