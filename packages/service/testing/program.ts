import { choiceOption, flagOption, integerOption } from '@groupcast/options';
// A real process for the tests: its commands do what a service does at its edges.

import type { Program } from '../src/cli/program.ts';
import { runMain } from '../src/cli/run-main.ts';
import type { ConfigTable } from '../src/config/option-values.ts';
import { createLogger } from '../src/log/logger.ts';
import { runUntilSignal } from '../src/process/run-until-signal.ts';

interface FixtureConfig {
  readonly drain: 'quick' | 'never' | 'fails';
  readonly deadlineMs: number;
  readonly reload: boolean;
  readonly lines: number;
}

const options: ConfigTable<FixtureConfig> = {
  drain: choiceOption({ choices: ['quick', 'never', 'fails'], default: 'quick', describe: 'How it drains.' }),
  deadlineMs: integerOption({ default: 60_000, min: 1, max: 60_000, unit: 'ms', describe: 'Deadline.' }),
  reload: flagOption({ default: false, describe: 'Whether SIGHUP reloads.' }),
  lines: integerOption({
    default: 1,
    min: 1,
    max: 1_000_000,
    unit: 'lines',
    describe: 'How many lines to log.',
  }),
};

const drains = {
  quick: () => Promise.resolve(),
  never: () => new Promise<void>(() => {}),
  fails: () => Promise.reject(new Error('a socket would not close')),
};

const log = createLogger({ name: 'fixture', level: 'info', bindings: { role: 'test' } });

const program: Program<FixtureConfig> = {
  name: 'fixture',
  version: '1.2.3',
  summary: 'A process for tests.',
  envPrefix: 'FIXTURE',
  options,
  commands: {
    start: {
      summary: 'Run until a signal.',
      async run(config, { print }) {
        const alive = setInterval(() => {}, 60_000);
        const ended = runUntilSignal({
          drain: drains[config.drain],
          log,
          deadlineMs: config.deadlineMs,
          ...(config.reload ? { reload: () => print('reloaded') } : {}),
        });
        print('started');
        const code = await ended;
        clearInterval(alive);
        const left = (['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((signal) =>
          process.listenerCount(signal),
        );
        print(`handlers left: ${left.join(',')}`);
        return code;
      },
    },
    flood: {
      summary: 'Log many lines once stdin says go, print how many were dropped, and return 7.',
      async run(config, { print }) {
        print('started');
        await new Promise((resolve) => process.stdin.once('data', resolve));
        process.stdin.destroy();
        for (let line = 0; line < config.lines; line++) log.info({ line, filler: 'x'.repeat(1000) }, 'flood');
        // A closed reader is noticed when the lines are written, in the next event-loop turn.
        await new Promise((resolve) => setImmediate(resolve));
        print(`dropped ${log.dropped()}`);
        return 7;
      },
    },
    crash: {
      summary: 'Throw.',
      run() {
        throw new Error('a defect');
      },
    },
  },
};

await runMain(program);
