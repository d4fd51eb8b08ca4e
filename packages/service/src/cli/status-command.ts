import { setTimeout } from 'node:timers/promises';
import { flagOption, type OptionsOf } from '@groupcast/options';
import { AdminError } from '../http/admin-error.ts';
import { fetchStats } from '../http/fetch-stats.ts';
import type { Command } from './program.ts';

/** Interval of `--watch`, in milliseconds. */
const WATCH_MS = 2_000;

/** Moves the cursor of a terminal to the top, and erases what is below. */
const CLEAR_SCREEN = '\u001b[H\u001b[J';

const flags = {
  json: flagOption({ default: false, describe: 'Print the answer of the admin port as one line of JSON.' }),
  watch: flagOption({ default: false, describe: 'Print again every 2 seconds, until Ctrl-C.' }),
};

interface StatusConfig {
  readonly adminHost: string;
  readonly adminPort: number;
}

interface Status<Stats> {
  readonly summary: string;
  /** Formats the stats for people. */
  text(stats: Stats): string;
}

/** Makes the command `status` of a service: its stats from the admin port, as text or as JSON. */
export function statusCommandOf<C extends StatusConfig, Stats extends { readonly service: string }>(
  service: Stats['service'],
  { summary, text }: Status<Stats>,
): Command<C, OptionsOf<typeof flags>> {
  return {
    summary,
    uses: ['adminHost', 'adminPort'],
    flags,
    run: async ({ adminHost, adminPort, json, watch }, context) => {
      const show = async (): Promise<void> => {
        const stats = await fetchStats<Stats>(adminHost, adminPort, service);
        const clear = watch && !json && process.stdout.isTTY ? CLEAR_SCREEN : '';
        context.print(clear + (json ? JSON.stringify(stats) : text(stats)));
      };
      if (!watch) {
        await show();
        return 0;
      }
      // Until Ctrl-C, or until the reader of the output has gone.
      while (process.stdout.writable) {
        try {
          await show();
        } catch (error) {
          // A restart of the service is worth watching, too.
          if (!(error instanceof AdminError)) throw error;
          context.printError(error.message);
        }
        await setTimeout(WATCH_MS);
      }
      return 0;
    },
  };
}
