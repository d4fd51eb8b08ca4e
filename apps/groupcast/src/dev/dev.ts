import { type Command, createLogger, isLoopbackHost, runUntilSignal, startTable } from '@groupcast/service';
import type { DevConfig } from './options.ts';
import { prepareStateFolder, removeState, writeState } from './state.ts';
import { DevSystem } from './system.ts';

/** Time for both services to drain, in milliseconds. Then the process ends, and they with it. */
const STOP_MS = 40_000;

const EXIT_FAILED = 1;

/** Defines the command `dev`. `entry` is the main file, which runs the services, too. */
export function devCommandOf(entry: string): Command<DevConfig> {
  return {
    summary: 'Run a hub and a gateway on this machine until Ctrl-C. It is the default command.',
    run: async (config, context) => {
      prepareStateFolder(config.dir);
      const system = new DevSystem(config, entry);
      // Both services say that they drain, so this process does not.
      const log = createLogger({ name: 'groupcast', level: 'error', format: config.logFormat });
      const stopped = runUntilSignal({ drain: () => system.stop(), log, deadlineMs: STOP_MS });
      try {
        const rows = await system.start();
        if (rows !== undefined) {
          writeState(config.dir, { ...config, pid: process.pid });
          // In JSON the services have announced themselves.
          if (config.logFormat !== 'json') context.print(`${startTable(rows)}\n\n${welcome(config)}`);
        }
        const end = await system.firstEnd();
        if (system.isStopping) return await stopped;
        context.printError(`groupcast: ${end} The lines above say why.`);
        await system.stop();
        return EXIT_FAILED;
      } finally {
        removeState(config.dir, process.pid);
      }
    },
  };
}

function welcome({ host, port }: DevConfig): string {
  const others = isLoopbackHost(host)
    ? 'Only this machine can connect. For other devices, add: --host 0.0.0.0'
    : `Other devices can connect, without any login: the gateway listens on ${host}.`;
  return [
    `Open http://127.0.0.1:${port} : its two panes send messages to each other.`,
    'Paste snippets into the console of that page: browsers block ws://127.0.0.1 on other pages.',
    others,
  ].join('\n');
}
