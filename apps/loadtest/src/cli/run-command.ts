import { writeFileSync } from 'node:fs';
import type { Command } from '@groupcast/service';
import { runLoadtest } from '../control/run.ts';
import { LoadtestError } from '../loadtest-error.ts';
import { htmlReport } from '../report/html-report.ts';
import { ProgressBar } from '../report/progress-bar.ts';
import { remarks } from '../report/remarks.ts';
import { isFaultless } from '../report/result.ts';
import { resultTable } from '../report/result-table.ts';
import type { LoadtestConfig } from './options.ts';
import { settingsOf } from './settings.ts';

const EXIT_FAULTS = 1;
const EXIT_NO_RESULT = 2;

/** Defines the command `run`. `entry` is the program's main file. */
export function runCommandOf(entry: string): Command<LoadtestConfig> {
  return {
    summary:
      'Run one scenario against a server. Exit code 1: messages were lost, duplicated or out of order; 2: no result.',
    run: async (config, context) => {
      const bar = new ProgressBar(process.stderr.isTTY && !config.json ? process.stderr : undefined);
      const interrupt = new AbortController();
      const onSignal = (): void => {
        if (interrupt.signal.aborted) process.exit(EXIT_NO_RESULT);
        interrupt.abort();
      };
      process.on('SIGINT', onSignal);
      process.on('SIGTERM', onSignal);
      try {
        const report = await runLoadtest({
          url: config.url,
          settings: settingsOf(config),
          pids: config.pids.map(Number),
          entry,
          signal: interrupt.signal,
          onProgress: (progress) => bar.show(progress),
        });
        bar.clear();
        const { result } = report;
        if (config.html !== '') writeFileSync(config.html, htmlReport(report));
        context.print(config.json ? JSON.stringify(result) : resultTable(result));
        for (const remark of remarks(result)) context.printError(remark);
        return isFaultless(result) ? 0 : EXIT_FAULTS;
      } catch (error) {
        if (!(error instanceof LoadtestError)) throw error;
        bar.clear();
        context.printError(`groupcast-loadtest: ${error.message}`);
        return EXIT_NO_RESULT;
      } finally {
        process.removeListener('SIGINT', onSignal);
        process.removeListener('SIGTERM', onSignal);
      }
    },
  };
}
