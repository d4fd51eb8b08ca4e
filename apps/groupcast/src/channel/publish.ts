import { textOption } from '@groupcast/options';
import { channelOfGroup, ProtocolError } from '@groupcast/protocol';
import { type CommandWithOptions, ConfigError, commandWithOptions } from '@groupcast/service';
import { connect, HubUnreachable } from './connect.ts';
import { groupOption } from './group-option.ts';
import { HUB_ACCESS_OPTIONS, prepareAccess } from './hub-access.ts';

const EXIT_FAILED = 1;

const options = {
  group: groupOption('Group whose members get the message: the first argument.'),
  text: textOption({ default: '', describe: 'Text of the message: the second argument.' }),
  ...HUB_ACCESS_OPTIONS,
};

export const publishCommand: CommandWithOptions = commandWithOptions(options, {
  summary: 'Send a text to a group: groupcast publish GROUP TEXT. Prints the offset of the message.',
  run: async (config, context) => {
    const { group, text } = config;
    const problems: string[] = [];
    if (group === '') problems.push('A group is missing. Write: groupcast publish GROUP TEXT');
    if (text === '') problems.push('A text is missing. Write: groupcast publish GROUP TEXT');
    if (problems.length > 0) throw new ConfigError(problems);
    const access = prepareAccess(config);
    for (const warning of access.warnings) context.printError(`warning: ${warning}`);
    try {
      const hub = await connect(access, 'groupcast publish');
      try {
        const { offset } = await hub.publish(channelOfGroup(group), text);
        context.print(String(offset));
        return 0;
      } finally {
        hub.close();
      }
    } catch (error) {
      if (!(error instanceof HubUnreachable || error instanceof ProtocolError)) throw error;
      context.printError(`groupcast: ${error.message}`);
      return EXIT_FAILED;
    }
  },
});
