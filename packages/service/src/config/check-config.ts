import type { Command, Program } from '../cli/program.ts';
import { textTable } from '../cli/text-table.ts';
import { flagName } from './option-names.ts';
import { formatValue } from './option-values.ts';

/**
 * Makes the built-in command `check-config`. It shows all values: an option names the file of a
 * secret, never the secret.
 */
export function checkConfigCommand<C extends object>(prepare: Program<C>['prepare']): Command<C> {
  return {
    summary: 'Make every check of a start, and print each option with its value and source; start nothing.',
    run(config, context) {
      const { warnings } = prepare?.(config) ?? { warnings: [] };
      const rows = Object.entries(config).map(([key, value]) => [
        flagName(key),
        formatValue(value),
        context.sources[key],
      ]);
      context.print(textTable(['option', 'value', 'source'], rows));
      for (const warning of [...context.warnings, ...warnings]) context.printError(`warning: ${warning}`);
      context.print('configuration is valid');
      return 0;
    },
  };
}
