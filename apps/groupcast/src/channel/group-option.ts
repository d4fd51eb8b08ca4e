import { type Option, textOption } from '@groupcast/options';
import { groupNameOf } from '@groupcast/protocol';

/** The group of a command, which is also its first argument. */
export function groupOption(describe: string): Option<string> {
  return textOption({
    default: '',
    valueName: 'GROUP',
    describe,
    check: (group) =>
      groupNameOf(group) === undefined
        ? 'the name of a group: 1 to 255 bytes of UTF-8 without control characters'
        : undefined,
  });
}
