import { once } from 'node:events';
import { type KeyedMap, parseBan } from '@groupcast/hub-client';
import { flagOption, type OptionsOf } from '@groupcast/options';
import { type BanTarget, ProtocolError } from '@groupcast/protocol';
import { type Command, printable, textTable } from '@groupcast/service';
import type { HubConfig } from '../../config.ts';
import { targetText } from './target.ts';
import { ACCESS_FLAGS, ACCESS_OPTIONS, withHub } from './with-hub.ts';

const MS_PER_SECOND = 1_000;

/** Time in which the bans must be loaded, in milliseconds. */
const LOAD_MS = 10_000;

const COLUMNS = ['target', 'since', 'ends in s', 'tokens before', 'by', 'reason'];

const flags = {
  json: flagOption({ default: false, describe: 'Print one JSON object per ban and line.' }),
  ...ACCESS_FLAGS,
};

/** A ban as `bans --json` prints it. */
interface BanRow {
  readonly uid?: string;
  readonly group?: string;
  readonly address?: string;
  readonly tokenId?: string;
  readonly notBefore?: number;
  readonly reason?: string;
  readonly by?: string;
  /** Time of the ban by the clock of the hub, ISO 8601. */
  readonly since: string;
  /** Missing without an end. */
  readonly endsInSeconds?: number;
}

export const bansCommand: Command<HubConfig, OptionsOf<typeof flags>> = {
  summary: 'List the bans of the running hub.',
  uses: ACCESS_OPTIONS,
  flags,
  run: async (config, context) =>
    withHub(config, 'groupcast-hub bans', context, async (hub) => {
      const bans = hub.bans();
      await loaded(bans);
      const rows = rowsOf(bans, (key) => context.printError(`An invalid ban is ignored: ${printable(key)}`));
      if (config.json) for (const row of rows) context.print(JSON.stringify(row));
      else context.print(rows.length === 0 ? 'No bans.' : textTable(COLUMNS, rows.map(cellsOf)));
    }),
};

/** Rejects with ProtocolError when the hub does not answer, or does not give them. */
async function loaded(bans: KeyedMap): Promise<void> {
  const signal = AbortSignal.timeout(LOAD_MS);
  const failed = once(bans, 'failed', { signal }).then(([error]) => Promise.reject(error));
  const late = (cause: unknown): never => {
    if (cause instanceof ProtocolError) throw cause;
    throw new ProtocolError('hub_unavailable', `The hub did not answer within ${LOAD_MS} ms.`, { cause });
  };
  await Promise.race([once(bans, 'ready', { signal }), failed]).catch(late);
  failed.catch(() => {});
}

function rowsOf(bans: KeyedMap, invalid: (key: string) => void): readonly BanRow[] {
  return [...bans.entries()].flatMap(([key, { payload, timeMs }]): BanRow[] => {
    try {
      const { target, ...details } = parseBan(key, payload);
      const lifeMs = bans.lifeMs(key) ?? Number.POSITIVE_INFINITY;
      const end =
        lifeMs === Number.POSITIVE_INFINITY ? {} : { endsInSeconds: Math.ceil(lifeMs / MS_PER_SECOND) };
      return [{ ...target, ...details, since: new Date(timeMs).toISOString(), ...end } as BanRow];
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      invalid(key);
      return [];
    }
  });
}

function cellsOf({ since, endsInSeconds, notBefore, by = '', reason = '', ...target }: BanRow): string[] {
  const what = targetText(target as BanTarget);
  return [what, since, endsInSeconds ?? '', notBefore ?? '', by, reason].map((cell) =>
    printable(String(cell)),
  );
}
