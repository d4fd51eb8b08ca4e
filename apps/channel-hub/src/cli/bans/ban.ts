import { userInfo } from 'node:os';
import { type OptionsOf, textOption } from '@groupcast/options';
import { type BanTarget, encodeBan, limits, ProtocolError } from '@groupcast/protocol';
import { type Command, ConfigError, printable } from '@groupcast/service';
import type { HubConfig } from '../../config.ts';
import { secondsOf } from './duration.ts';
import { TARGET_FLAGS, targetOf, targetText } from './target.ts';
import { ACCESS_FLAGS, ACCESS_OPTIONS, withHub } from './with-hub.ts';

const MS_PER_SECOND = 1_000;

const flags = {
  ...TARGET_FLAGS,
  ...ACCESS_FLAGS,
  notBefore: textOption({
    default: '',
    valueName: 'now|SECONDS',
    describe: 'With --uid: revoke the tokens issued before, in seconds since 1970, and no others.',
    check: (text) =>
      text === '' || text === 'now' || /^\d{1,15}$/.test(text) ? undefined : 'now, or seconds since 1970',
  }),
  for: textOption({
    default: '',
    valueName: 'DURATION',
    describe: 'Length of the ban, such as 90s, 15m, 1h, 7d. Default: it does not end.',
    check: durationFault,
  }),
  reason: textOption({ default: '', describe: 'Text for the client, at most 123 bytes.' }),
  by: textOption({
    default: '',
    valueName: 'NAME',
    describe: 'Author, for the log. Default: your user name.',
  }),
};

type Flags = OptionsOf<typeof flags>;

const unbanFlags = { ...TARGET_FLAGS, by: flags.by, ...ACCESS_FLAGS };

type UnbanFlags = OptionsOf<typeof unbanFlags>;

export const banCommand: Command<HubConfig, Flags> = {
  summary: 'Ban a user, an address, a token, or a user in a group, on all gateways of the running hub.',
  uses: ACCESS_OPTIONS,
  flags,
  run: async (config, context) => {
    const target = targetOf(config);
    const options = banOptionsOf(config, target);
    return withHub(config, 'groupcast-hub ban', context, async (hub) => {
      await hub.ban(target, options);
      const { seconds, notBefore } = options;
      const until = seconds === undefined ? '' : ` until ${isoTime(Date.now() + seconds * MS_PER_SECOND)}`;
      const what = printable(targetText(target));
      context.print(
        notBefore === undefined
          ? `Banned ${what}${until}.`
          : `Revoked the tokens of ${what} from before ${isoTime(notBefore * MS_PER_SECOND)}${until}.`,
      );
    });
  },
};

export const unbanCommand: Command<HubConfig, UnbanFlags> = {
  summary: 'End the ban of a user, an address, a token, or a user in a group.',
  uses: ACCESS_OPTIONS,
  flags: unbanFlags,
  run: async (config, context) => {
    const target = targetOf(config);
    return withHub(config, 'groupcast-hub unban', context, async (hub) => {
      await hub.unban(target, { by: authorOf(config.by) });
      context.print(`Unbanned ${printable(targetText(target))}.`);
    });
  },
};

interface BanOptions {
  readonly seconds: number | undefined;
  readonly notBefore: number | undefined;
  readonly reason: string | undefined;
  readonly by: string | undefined;
}

/** Throws ConfigError for options that do not go together. */
function banOptionsOf(config: Flags, target: BanTarget): BanOptions {
  const notBefore = notBeforeOf(config.notBefore);
  const reason = config.reason === '' ? undefined : config.reason;
  const by = authorOf(config.by);
  const seconds = config.for === '' ? undefined : secondsOf(config.for);
  try {
    encodeBan({ target, notBefore, reason, by });
  } catch (error) {
    if (error instanceof ProtocolError) throw new ConfigError([error.message]);
    throw error;
  }
  return { seconds, notBefore, reason, by };
}

/** Returns the time of a revocation. Now is the next second, so that it covers this one. */
function notBeforeOf(text: string): number | undefined {
  if (text === '') return undefined;
  return text === 'now' ? Math.floor(Date.now() / MS_PER_SECOND) + 1 : Number(text);
}

function authorOf(by: string): string | undefined {
  if (by !== '') return by;
  try {
    return userInfo().username;
  } catch {
    // The system knows no name for this user: containers run like this.
    return undefined;
  }
}

function durationFault(text: string): string | undefined {
  if (text === '') return undefined;
  const seconds = secondsOf(text) ?? 0;
  if (seconds >= 1 && seconds <= limits.BAN_SECONDS_MAX) return undefined;
  return `a duration such as 90s, 15m, 1h or 7d, of at most ${limits.BAN_SECONDS_MAX} seconds`;
}

function isoTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
