import type { Command } from '../cli/program.ts';
import { textTable } from '../cli/text-table.ts';
import { formatValue } from './option.ts';
import { flagName } from './option-names.ts';

/** The built-in `check-config`. Secrets are never options, only the paths of their files, so that all may be shown. */
export const checkConfig: Command<object> = {
  summary: 'Print each option with its value and source, or every problem; start nothing.',
  run(config, context) {
    const rows = Object.entries(config).map(([key, value]) => [
      flagName(key),
      formatValue(value),
      context.sources[key],
    ]);
    context.print(textTable(['option', 'value', 'source'], rows));
    for (const warning of context.warnings) context.printError(`warning: ${warning}`);
    context.print('configuration is valid');
    return 0;
  },
};
