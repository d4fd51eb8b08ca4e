import type { ClientCommand, CommandId } from '../client/command.ts';
import type { ErrorCode } from '../codes.ts';
import { JsonObjectText } from '../json/object-text.ts';
import { JSON_KEYS_MAX, JSON_NODES_MAX, MESSAGE_ID_BYTES_MAX, SHORT_TEXT_BYTES_MAX } from '../limits.ts';
import { groupNameOf } from '../name.ts';
import type { Position } from '../position.ts';
import { ProtocolError } from '../protocol-error.ts';
import { isShortText } from '../utf8-length.ts';

/** Rejects a command. Carries the `id` of the command, if it could be read, for the reply. */
export class CommandError extends ProtocolError {
  readonly id: CommandId | undefined;

  constructor(code: ErrorCode, message?: string, id?: CommandId, options?: ErrorOptions) {
    super(code, message, options);
    this.id = id;
  }
}

const BOUNDS = { payload: 'message', keysMax: JSON_KEYS_MAX, nodesMax: JSON_NODES_MAX };

/** Parses one message of a client. Ignores unknown fields. Throws only CommandError. */
export function parseClientCommand(text: string): ClientCommand {
  const json = new JsonObjectText(text);
  try {
    json.scan(BOUNDS);
    return commandOf(json);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new CommandError(error.code, error.message, readableId(json), { cause: error });
  }
}

function commandOf(json: JsonObjectText): ClientCommand {
  const cmd = json.value('cmd');
  switch (cmd) {
    case 'add_group':
      return { cmd, id: json.id(), group_id: groupOf(json), since: sinceOf(json) };
    case 'send_to_group':
      return {
        cmd,
        id: json.id(),
        group_id: groupOf(json),
        message: messageOf(json),
        message_id: messageIdOf(json),
        exclude_self: excludeSelfOf(json),
      };
    case 'leave_group':
    case 'group_info':
      return { cmd, id: json.id(), group_id: groupOf(json) };
    case 'ping':
      return { cmd, id: json.id() };
    default:
      if (typeof cmd === 'string') throw new ProtocolError('unknown_command');
      throw badField(json, 'cmd', 'must be a string');
  }
}

function groupOf(json: JsonObjectText): string {
  const groupId = json.value('group_id');
  const name = groupNameOf(groupId);
  if (name !== undefined) return name;
  // An invalid name has a code of its own; any other type is a bad field.
  if (typeof groupId === 'string') throw new ProtocolError('invalid_group');
  throw badField(json, 'group_id', 'must be a string or an integer');
}

/** Returns the position after which the client wants messages. */
function sinceOf(json: JsonObjectText): Position | undefined {
  const since = json.value('since');
  if (since === undefined) return undefined;
  const { epoch, offset } = (since ?? {}) as { readonly epoch?: unknown; readonly offset?: unknown };
  if (isShortText(epoch, SHORT_TEXT_BYTES_MAX) && isOffset(offset)) return { epoch, offset };
  const rule = `must be {"epoch": a string of 1 to ${SHORT_TEXT_BYTES_MAX} bytes, "offset": an integer from 0}`;
  throw badField(json, 'since', rule);
}

function messageOf(json: JsonObjectText): string {
  const message = json.payload('message');
  if (message !== undefined) return message.text;
  throw badField(json, 'message', 'must be a JSON value; a string must not have half of a surrogate pair');
}

function messageIdOf(json: JsonObjectText): string | undefined {
  const messageId = json.value('message_id');
  if (messageId === undefined || isShortText(messageId, MESSAGE_ID_BYTES_MAX)) return messageId;
  throw badField(json, 'message_id', `must be a string of 1 to ${MESSAGE_ID_BYTES_MAX} bytes`);
}

function excludeSelfOf(json: JsonObjectText): boolean | undefined {
  const excludeSelf = json.value('exclude_self');
  if (excludeSelf === undefined || typeof excludeSelf === 'boolean') return excludeSelf;
  throw badField(json, 'exclude_self', 'must be true or false');
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function badField(json: JsonObjectText, field: string, rule: string): ProtocolError {
  const missing = json.has(field) ? '' : ' It is missing.';
  return new ProtocolError('bad_field', `${field} ${rule}.${missing}`);
}

/** Returns the id of a rejected command, if it has a valid one. */
function readableId(json: JsonObjectText): CommandId | undefined {
  try {
    return json.id();
  } catch {
    return undefined;
  }
}
