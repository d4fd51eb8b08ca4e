import { GroupcastError } from '../groupcast-error.ts';
import { GROUP_ID_BYTES_MAX } from '../limits.ts';
import { isName } from '../sending/text.ts';

// Control characters, and the marks that turn the direction of what follows: the gateway refuses them.
const FORBIDDEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/**
 * A group's name as text: `123` and `'123'` are one group. Throws a GroupcastError `invalid_group`: ten bad names within ten
 * seconds would end the connection for good.
 */
export function groupName(groupId: string | number): string {
  const isGroup = isName(groupId, GROUP_ID_BYTES_MAX)
    ? !FORBIDDEN.test(groupId)
    : Number.isSafeInteger(groupId);
  if (isGroup) return String(groupId);
  throw new GroupcastError('invalid_group', `Use an integer, or 1 to ${GROUP_ID_BYTES_MAX} bytes.`);
}
