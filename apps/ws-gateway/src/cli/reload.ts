import { setTimeout } from 'node:timers/promises';
import { type Command, printable } from '@groupcast/service';
import type { PrimaryStats } from '../admin/stats.ts';
import type { GatewayConfig } from '../config.ts';
import { RunningGateway } from './running-gateway.ts';

const LOOK_MS = 200;

/** Checks after which a gateway that has not counted the signal is considered deaf. */
const DEAF_LOOKS_MAX = 50;

const ERROR_BYTES_MAX = 4_096;

export const reloadCommand: Command<GatewayConfig> = {
  summary: 'Make the gateway on this machine reload its configuration and replace its workers; wait for it.',
  uses: ['adminHost', 'adminPort'],
  run: async (config, context) => {
    const { gateway, stats: before } = await RunningGateway.find(config);
    gateway.signal('SIGHUP');
    let said = '';
    for (let look = 1; ; look++) {
      await setTimeout(LOOK_MS);
      const stats = await gateway.stats();
      const heard = stats !== undefined && stats.reload.asked > before.reload.asked;
      if (stats === undefined || stats.state === 'draining' || (!heard && look > DEAF_LOOKS_MAX)) {
        context.printError(`not reloaded: ${deathOf(stats)}`);
        return 1;
      }
      if (heard && stats.reload.state === 'idle') return result(stats, context);
      const line = heard ? progress(stats) : said;
      if (line !== said) context.print(line);
      said = line;
    }
  },
};

function deathOf(stats: PrimaryStats | undefined): string {
  if (stats === undefined) return 'the gateway has ended.';
  if (stats.state === 'draining') return 'the gateway is shutting down.';
  return 'the gateway does not react to the signal.';
}

function progress({ reload, workers }: PrimaryStats): string {
  if (reload.state === 'starting') return 'new workers start';
  const old = workers.filter(({ state }) => state === 'retired' || state === 'draining').length;
  return `old workers drain: ${old} left`;
}

function result(
  { reload, workers }: PrimaryStats,
  { print, printError }: { print(text: string): void; printError(text: string): void },
): number {
  if (reload.error === undefined) {
    print(`reloaded: ${workers.length} workers serve`);
    return 0;
  }
  printError(`not reloaded: ${printable(reload.error, ERROR_BYTES_MAX)}`);
  return 1;
}
