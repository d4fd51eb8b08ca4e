import { z } from 'zod';
import type { ErrorCode } from '../codes.ts';
import { JsonObjectText } from '../json/object-text.ts';
import {
  COMMAND_ID_BYTES_MAX,
  JSON_KEYS_MAX,
  JSON_NODES_MAX,
  MESSAGE_ID_BYTES_MAX,
  SHORT_TEXT_BYTES_MAX,
} from '../limits.ts';
import { isGroupName } from '../name.ts';
import { ProtocolError } from '../protocol-error.ts';
import { utf8ByteLength } from '../text.ts';

function isText(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return false;
  const bytes = utf8ByteLength(text);
  return bytes >= 0 && bytes <= bytesMax;
}

/** Comes back in the reply as it was. */
export const commandId = z.union([
  z
    .string()
    .refine((text) => isText(text, COMMAND_ID_BYTES_MAX), `at most ${COMMAND_ID_BYTES_MAX} bytes of UTF-8`),
  z.number().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER),
]);

/** `123` and `"123"` are one group; the name is a string from here on. */
const groupId = z.union([z.string().refine(isGroupName), z.int()]).transform(String);

const id = commandId.optional();

/** The position that the client has: what came after it is wanted. */
const since = z.object({
  epoch: z.string().refine((text) => text !== '' && isText(text, SHORT_TEXT_BYTES_MAX)),
  offset: z.int().nonnegative(),
});

export const clientCommand = z.discriminatedUnion('cmd', [
  z.object({ cmd: z.literal('add_group'), id, group_id: groupId, since: since.optional() }),
  z.object({ cmd: z.literal('leave_group'), id, group_id: groupId }),
  z.object({
    cmd: z.literal('send_to_group'),
    id,
    group_id: groupId,
    /** What members get: what a string says, and any other value as it was written. */
    message: z.string(),
    message_id: z
      .string()
      .refine(
        (text) => text !== '' && isText(text, MESSAGE_ID_BYTES_MAX),
        `1 to ${MESSAGE_ID_BYTES_MAX} bytes of UTF-8`,
      )
      .optional(),
    exclude_self: z.boolean().optional(),
  }),
  z.object({ cmd: z.literal('group_info'), id, group_id: groupId }),
  z.object({ cmd: z.literal('ping'), id }),
]);

export type CommandId = z.infer<typeof commandId>;
export type ClientCommand = z.infer<typeof clientCommand>;

const COMMANDS: ReadonlySet<unknown> = new Set(clientCommand.options.map((option) => option.shape.cmd.value));

/** A command that was refused. Carries the command's `id`, where that could be read, so that the reply can. */
export class CommandError extends ProtocolError {
  readonly id: CommandId | undefined;

  constructor(code: ErrorCode, message?: string, id?: CommandId, options?: ErrorOptions) {
    super(code, message, options);
    this.id = id;
  }
}

const BOUNDS = { payload: 'message', keysMax: JSON_KEYS_MAX, nodesMax: JSON_NODES_MAX };

/** Reads one message of a client. Unknown fields are ignored. Throws only CommandError. */
export function parseClientCommand(text: string): ClientCommand {
  const json = new JsonObjectText(text);
  try {
    json.scan(BOUNDS);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new CommandError(error.code, error.message, idOf(json), { cause: error });
  }
  const value = fieldsOf(json);
  const result = clientCommand.safeParse(value);
  if (result.success) return result.data;
  const id = idOf(json);
  if (typeof value.cmd === 'string' && !COMMANDS.has(value.cmd)) {
    throw new CommandError('unknown_command', undefined, id);
  }
  const field = String(result.error.issues[0]?.path[0] ?? 'cmd');
  // A text that is no name is told apart from what is no text at all.
  if (field === 'group_id' && typeof value.group_id === 'string') {
    throw new CommandError('invalid_group', undefined, id, { cause: result.error });
  }
  throw new CommandError('bad_field', fieldSentence(field, json), id, { cause: result.error });
}

/** All fields of all commands. */
function fieldsOf(json: JsonObjectText) {
  return {
    cmd: json.value('cmd'),
    id: json.id(),
    group_id: json.value('group_id'),
    since: json.value('since'),
    message: json.payload('message')?.text,
    message_id: json.value('message_id'),
    exclude_self: json.value('exclude_self'),
  };
}

function idOf(json: JsonObjectText): CommandId | undefined {
  return commandId.safeParse(json.id()).data;
}

const FIELD_RULES: ReadonlyMap<string, string> = new Map([
  ['cmd', 'cmd must be a string.'],
  ['group_id', 'group_id must be a string or an integer.'],
  [
    'id',
    `id must be a string of at most ${COMMAND_ID_BYTES_MAX} bytes, or a number up to 2^53 - 1 in its shortest form.`,
  ],
  [
    'since',
    `since must be {"epoch": a string of 1 to ${SHORT_TEXT_BYTES_MAX} bytes, "offset": an integer from 0}.`,
  ],
  ['message', 'message must be a JSON value; a string must not have half of a surrogate pair.'],
  ['message_id', `message_id must be a string of 1 to ${MESSAGE_ID_BYTES_MAX} bytes.`],
  ['exclude_self', 'exclude_self must be true or false.'],
]);

function fieldSentence(field: string, json: JsonObjectText): string | undefined {
  const rule = FIELD_RULES.get(field);
  return rule !== undefined && !json.has(field) ? `${rule} It is missing.` : rule;
}
