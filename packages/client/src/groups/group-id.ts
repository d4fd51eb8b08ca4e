import { GroupcastError } from '../groupcast-error.ts';
import { GROUP_ID_BYTES_MAX } from '../limits.ts';
import { isName } from '../sending/text.ts';

// The gateway rejects control characters and marks that change the direction of text.
const FORBIDDEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/**
 * Returns the name of a group: `123` and `'123'` are one group. Throws a GroupcastError
 * `invalid_group`: after ten invalid names within ten seconds the gateway closes for good.
 * `groupNameOf` of the protocol is the same rule; this one is smaller in a page.
 */
export function groupName(groupId: string | number): string {
  const isGroup = isName(groupId, GROUP_ID_BYTES_MAX)
    ? !FORBIDDEN.test(groupId)
    : Number.isSafeInteger(groupId);
  if (isGroup) return String(groupId);
  throw new GroupcastError('invalid_group', `Use an integer, or 1 to ${GROUP_ID_BYTES_MAX} bytes.`);
}
