import { choiceOption } from '@groupcast/options';

/** Options of the log, for every program. */
export const LOG_OPTIONS = {
  logLevel: choiceOption({
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    describe: 'Least severe lines to log.',
  }),
  logFormat: choiceOption({
    default: 'auto',
    choices: ['auto', 'json', 'pretty'],
    describe: 'Format of log lines: auto is pretty on a terminal and JSON elsewhere.',
  }),
};
