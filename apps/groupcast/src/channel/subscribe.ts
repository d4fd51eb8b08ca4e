import { once } from 'node:events';
import type { HubClient, Publication } from '@groupcast/hub-client';
import { integerOption, type OptionsOf } from '@groupcast/options';
import { channelOfGroup } from '@groupcast/protocol';
import { type Command, ConfigError, printable } from '@groupcast/service';
import { groupOption } from './group-option.ts';
import { HUB_ACCESS_OPTIONS } from './hub-access.ts';
import { withHub } from './with-hub.ts';

const flags = {
  group: groupOption('Group whose messages are printed: the first argument.'),
  count: integerOption({
    default: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'messages',
    describe: 'Messages to print; the command ends after the last. 0: until Ctrl-C.',
  }),
  ...HUB_ACCESS_OPTIONS,
};

export const subscribeCommand: Command<object, OptionsOf<typeof flags>> = {
  uses: [],
  flags,
  summary:
    'Print each message of a group: groupcast subscribe GROUP. A line has the offset, a tab, and the ' +
    'text, with escapes such as \\n for control characters.',
  run: async (config, context) => {
    const { group, count } = config;
    if (group === '') throw new ConfigError(['A group is missing. Write: groupcast subscribe GROUP']);
    const say = (sentence: string): void => context.printError(`groupcast: ${sentence}`);
    return withHub(config, 'groupcast subscribe', context, (hub) =>
      printMessages(hub, channelOfGroup(group), count, context.print, say),
    );
  },
};

/**
 * Prints `count` messages, or all until a signal. Also ends when the reader of the output is gone.
 * Rejects with ProtocolError when the hub rejects the subscription.
 */
async function printMessages(
  hub: HubClient,
  channel: string,
  count: number,
  print: (line: string) => void,
  say: (sentence: string) => void,
): Promise<void> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  let printed = 0;
  const ended = once(end.signal, 'abort');
  const rejected = new Promise<never>((_, reject) => {
    hub.on('rejected', (_subject, error) => reject(error));
  });
  hub.on('state', (state, error) => {
    if (state === 'waiting') say(`The link to the hub broke: ${error?.message ?? 'it was closed.'}`);
    if (state === 'open') say('The link to the hub is open again.');
  });
  process.on('SIGINT', stop).on('SIGTERM', stop);
  process.stdout.on('error', stop);
  try {
    hub.subscribe(channel, {
      deliver: (publication) => {
        if (end.signal.aborted) return;
        print(lineOf(publication));
        printed += 1;
        if (printed === count) stop();
      },
      subscribed: (_subject, { offset }) => say(`Messages after offset ${offset} follow.`),
      lost: (_subject, position, reason) =>
        say(`Messages up to offset ${position.offset} are lost: ${reason}.`),
    });
    await Promise.race([ended, rejected]);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    process.stdout.off('error', stop);
  }
}

function lineOf({ number: offset, payload }: Publication): string {
  const text = new TextDecoder().decode(payload);
  return `${offset}\t${printable(text, Number.POSITIVE_INFINITY)}`;
}
