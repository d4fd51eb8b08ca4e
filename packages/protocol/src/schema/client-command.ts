import type { ClientCommand, CommandId, Operation } from '../client/command.ts';
import type { ErrorCode } from '../codes.ts';
import { JsonObjectText } from '../json/object-text.ts';
import {
  BAN_SECONDS_MAX,
  CLOSE_REASON_BYTES_MAX,
  HISTORY_MESSAGES_MAX,
  JSON_KEYS_MAX,
  JSON_NODES_MAX,
  MESSAGE_ID_BYTES_MAX,
  SHORT_TEXT_BYTES_MAX,
  TOKEN_BYTES_MAX,
} from '../limits.ts';
import { groupNameOf, isUid } from '../name.ts';
import type { Position } from '../position.ts';
import { ProtocolError } from '../protocol-error.ts';
import { isShortText, utf8ByteLength } from '../utf8-length.ts';

export interface CommandErrorOptions extends ErrorOptions {
  readonly operation?: Operation;
}

/** Rejects a command. Carries the `id` of the command, if it could be read, for the reply. */
export class CommandError extends ProtocolError {
  readonly id: CommandId | undefined;
  /** Of `forbidden`: what the client may not do. */
  readonly operation: Operation | undefined;

  constructor(code: ErrorCode, message?: string, id?: CommandId, options?: CommandErrorOptions) {
    super(code, message, options);
    this.id = id;
    this.operation = options?.operation;
  }
}

const BOUNDS = {
  payloads: ['message'],
  names: 'positions',
  keysMax: JSON_KEYS_MAX,
  nodesMax: JSON_NODES_MAX,
};

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
      return { cmd, id: json.id(), group_id: groupOf(json), ...joinRangeOf(json) };
    case 'send_to_group':
      return {
        cmd,
        id: json.id(),
        group_id: groupOf(json),
        message: messageOf(json),
        message_id: messageIdOf(json),
        exclude_self: booleanOf(json, 'exclude_self'),
        store: storeOf(json),
      };
    case 'leave_group':
    case 'group_info':
      return { cmd, id: json.id(), group_id: groupOf(json) };
    case 'history':
      return {
        cmd,
        id: requiredIdOf(json),
        group_id: groupOf(json),
        ...historyRangeOf(json),
        limit: countOf(json, 'limit'),
      };
    case 'resume':
      return { cmd, id: json.id(), positions: positionsOf(json) };
    case 'auth':
    case 'refresh':
      return { cmd, id: json.id(), token: tokenOf(json) };
    case 'kick':
      return { cmd, id: json.id(), group_id: groupOf(json), uid: uidOf(json), reason: reasonOf(json) };
    case 'ban':
      return {
        cmd,
        id: json.id(),
        group_id: groupOf(json),
        uid: uidOf(json),
        seconds: secondsOf(json),
        reason: reasonOf(json),
      };
    case 'unban':
      return { cmd, id: json.id(), group_id: groupOf(json), uid: uidOf(json) };
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

const POSITION_RULE = `{"epoch": a string of 1 to ${SHORT_TEXT_BYTES_MAX} bytes, "offset": an integer from 0}`;

/** Returns the position after which the client wants messages. */
function sinceOf(json: JsonObjectText): Position | undefined {
  const since = json.value('since');
  if (since === undefined) return undefined;
  const position = positionOf(since);
  if (position !== undefined) return position;
  throw badField(json, 'since', `must be ${POSITION_RULE}`);
}

function positionOf(value: unknown): Position | undefined {
  const { epoch, offset } = (value ?? {}) as { readonly epoch?: unknown; readonly offset?: unknown };
  return isShortText(epoch, SHORT_TEXT_BYTES_MAX) && isOffset(offset) ? { epoch, offset } : undefined;
}

/** Returns the messages to replay before those that are live. */
function joinRangeOf(json: JsonObjectText): { since: Position | undefined; last: number | undefined } {
  const range = { since: sinceOf(json), last: countOf(json, 'last') };
  if (range.since === undefined || range.last === undefined) return range;
  throw badField(json, 'last', 'must not be given together with since');
}

/** Returns the messages to read: either `since` or `last`. */
function historyRangeOf(json: JsonObjectText): { since: Position | undefined; last: number | undefined } {
  const range = joinRangeOf(json);
  if (range.since !== undefined || range.last !== undefined) return range;
  throw badField(json, 'since', 'or last must be given');
}

/** Returns a number of messages. */
function countOf(json: JsonObjectText, field: 'last' | 'limit'): number | undefined {
  const count = json.value(field);
  if (count === undefined) return undefined;
  if (isOffset(count) && count >= 1 && count <= HISTORY_MESSAGES_MAX) return count;
  throw badField(json, field, `must be an integer from 1 to ${HISTORY_MESSAGES_MAX}`);
}

function requiredIdOf(json: JsonObjectText): CommandId {
  const id = json.id();
  if (id !== undefined) return id;
  throw badField(json, 'id', 'must be a string or a number, because the reply has the messages');
}

/** Returns positions by group. Own keys of the result may have any name, such as `__proto__`. */
function positionsOf(json: JsonObjectText): Readonly<Record<string, Position>> {
  const positions = json.value('positions');
  if (typeof positions !== 'object' || positions === null || Array.isArray(positions))
    throw badField(json, 'positions', 'must be an object of positions by group');
  const entries = Object.entries(positions).map(([name, value]) => {
    if (groupNameOf(name) === undefined) throw new ProtocolError('invalid_group');
    const position = positionOf(value);
    if (position === undefined)
      throw badField(json, 'positions', `must have ${POSITION_RULE} for each group`);
    return [name, position] as const;
  });
  return Object.fromEntries(entries);
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

function storeOf(json: JsonObjectText): boolean | undefined {
  const store = booleanOf(json, 'store');
  if (store !== false || !json.has('message_id')) return store;
  throw badField(json, 'message_id', 'must not be given with "store": false, which keeps no message ids');
}

function booleanOf(json: JsonObjectText, field: 'exclude_self' | 'store'): boolean | undefined {
  const value = json.value(field);
  if (value === undefined || typeof value === 'boolean') return value;
  throw badField(json, field, 'must be true or false');
}

function tokenOf(json: JsonObjectText): string {
  const token = json.value('token');
  if (isShortText(token, TOKEN_BYTES_MAX)) return token;
  throw badField(json, 'token', `must be a string of 1 to ${TOKEN_BYTES_MAX} bytes`);
}

function uidOf(json: JsonObjectText): string {
  const uid = json.value('uid');
  if (isUid(uid)) return uid;
  throw badField(json, 'uid', 'must be a string with the rules of group names, without *');
}

function reasonOf(json: JsonObjectText): string | undefined {
  const reason = json.value('reason');
  if (reason === undefined) return undefined;
  const bytes = typeof reason === 'string' ? utf8ByteLength(reason) : -1;
  if (bytes >= 0 && bytes <= CLOSE_REASON_BYTES_MAX) return reason as string;
  throw badField(json, 'reason', `must be a string of at most ${CLOSE_REASON_BYTES_MAX} bytes`);
}

function secondsOf(json: JsonObjectText): number | undefined {
  const seconds = json.value('seconds');
  if (seconds === undefined) return undefined;
  if (isOffset(seconds) && seconds >= 1 && seconds <= BAN_SECONDS_MAX) return seconds;
  throw badField(json, 'seconds', `must be an integer from 1 to ${BAN_SECONDS_MAX}`);
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
