import type { ClientCommandBody } from '@groupcast/protocol/client';
import type { CallOptions } from '../groups/call.ts';
import { groupName } from '../groups/group-id.ts';
import { BAN_SECONDS_MAX, REASON_BYTES_MAX } from '../limits.ts';
import { badOption, checkWhole } from '../options.ts';
import { isName } from './text.ts';

export interface KickOptions extends CallOptions {
  /** Text for the user, at most 123 bytes. */
  readonly reason?: string | undefined;
}

export interface BanOptions extends KickOptions {
  /** Seconds until the ban ends, at most ten years. Default: it does not end. */
  readonly seconds?: number | undefined;
}

export type ModerationCommand = Extract<ClientCommandBody, { uid: string }>;

/**
 * Returns the command that removes a user from a group, keeps it out, or lets it in again. Throws a
 * GroupcastError `bad_option`, or `invalid_group` for an invalid uid.
 */
export function moderationCommand(
  cmd: ModerationCommand['cmd'],
  groupId: string,
  uid: string,
  { reason, seconds }: BanOptions,
): ModerationCommand {
  checkWhole('seconds', seconds, BAN_SECONDS_MAX);
  if (reason !== undefined && !isName(reason, REASON_BYTES_MAX)) {
    throw badOption(`reason must be a text of 1 to ${REASON_BYTES_MAX} bytes.`);
  }
  return { cmd, group_id: groupId, uid: groupName(uid), seconds, reason };
}
