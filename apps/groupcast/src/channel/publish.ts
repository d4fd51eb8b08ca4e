import { type OptionsOf, textOption } from '@groupcast/options';
import { channelOfGroup } from '@groupcast/protocol';
import { type Command, ConfigError } from '@groupcast/service';
import { groupOption } from './group-option.ts';
import { HUB_ACCESS_OPTIONS } from './hub-access.ts';
import { withHub } from './with-hub.ts';

const flags = {
  group: groupOption('Group whose members get the message: the first argument.'),
  text: textOption({ default: '', describe: 'Text of the message: the second argument.' }),
  ...HUB_ACCESS_OPTIONS,
};

export const publishCommand: Command<object, OptionsOf<typeof flags>> = {
  uses: [],
  flags,
  summary: 'Send a text to a group: groupcast publish GROUP TEXT. Prints the offset of the message.',
  run: async (config, context) => {
    const { group, text } = config;
    const problems: string[] = [];
    if (group === '') problems.push('A group is missing. Write: groupcast publish GROUP TEXT');
    if (text === '') problems.push('A text is missing. Write: groupcast publish GROUP TEXT');
    if (problems.length > 0) throw new ConfigError(problems);
    return withHub(config, 'groupcast publish', context, async (hub) => {
      const { offset } = await hub.publish(channelOfGroup(group), text);
      context.print(String(offset));
    });
  },
};
