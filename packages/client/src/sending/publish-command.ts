import type { ClientCommandBody, JsonValue } from '@groupcast/protocol/client';
import { GroupcastError } from '../groupcast-error.ts';
import type { CallOptions } from '../groups/call.ts';
import { MESSAGE_ID_BYTES_MAX } from '../limits.ts';
import { badOption } from '../options.ts';
import { isName, isText } from './text.ts';

export interface SendOptions extends CallOptions {
  /** Does not deliver the message to this client. Default false. */
  readonly excludeSelf?: boolean;
  /**
   * Identifies the message when it is repeated: 1 to 128 bytes. Default: a unique id. Within two
   * minutes a second message of this client with the same id is not published. It resolves with the
   * position of the first.
   */
  readonly messageId?: string;
  /**
   * False for an ephemeral message. It is in no history and has no position, and members may miss
   * it. Not together with `messageId`. Default true.
   */
  readonly store?: boolean;
}

export type PublishCommand = Extract<ClientCommandBody, { cmd: 'send_to_group' }>;

/**
 * Returns the command that publishes a message under `newId` unless the options have an id. Throws
 * a GroupcastError `bad_field` or `bad_option`: the gateway closes for good after ten rejections
 * within ten seconds.
 */
export function publishCommand(
  groupId: string,
  message: JsonValue,
  { excludeSelf, messageId, store }: SendOptions,
  newId: string,
): PublishCommand {
  const isStored = store !== false;
  if (!isStored && messageId !== undefined) throw badOption('Use messageId or store: false.');
  const id = messageId ?? newId;
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  if (!isText(text) || !isName(id, MESSAGE_ID_BYTES_MAX)) {
    throw new GroupcastError('bad_field', `Send JSON and a messageId of 1 to ${MESSAGE_ID_BYTES_MAX} bytes.`);
  }
  return {
    cmd: 'send_to_group',
    group_id: groupId,
    message: text,
    exclude_self: excludeSelf === true,
    ...(isStored ? { message_id: id } : { store: false }),
  };
}
