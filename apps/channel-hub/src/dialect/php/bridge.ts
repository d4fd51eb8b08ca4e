import { isUtf8 } from 'node:buffer';
import { groupNameOf, php } from '@groupcast/protocol';

/** The message to a group that a bridged event carries. */
export interface GroupMessage {
  /** Name of the group. */
  readonly group: string;
  /** Span of the message in the bytes read. */
  readonly message: php.PhpSpan;
}

const GROUP_KEY = 'group_id';
const MESSAGE_KEY = 'message';

/** The first byte of a serialized array. */
const ARRAY_TAG = 0x61;

/**
 * Reads a message to a group from the data of a bridged event, such as `['group_id' => '123',
 * 'message' => 'hi']`. No other code knows how PHP workers and groups relate. Returns undefined for
 * data of another form. Throws ProtocolError for an invalid PHP value.
 */
export function readGroupMessage(bytes: Uint8Array, { start, end }: php.PhpSpan): GroupMessage | undefined {
  if (bytes[start] !== ARRAY_TAG) return undefined;
  let group: string | undefined;
  let message: php.PhpSpan | undefined;
  for (const entry of php.entriesOf(bytes, start, end)) {
    // The last one wins, as in PHP.
    if (isKey(entry, GROUP_KEY)) group = groupAt(bytes, entry);
    else if (isKey(entry, MESSAGE_KEY)) message = entry;
  }
  return group === undefined || message === undefined ? undefined : { group, message };
}

/** Returns the data of a bridged event; `message` is a serialized value. */
export function groupMessageData(group: string, message: Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`a:2:{s:${GROUP_KEY.length}:"${GROUP_KEY}";`),
    php.encodePhp(group),
    Buffer.from(`s:${MESSAGE_KEY.length}:"${MESSAGE_KEY}";`),
    message,
    Buffer.from('}'),
  ]);
}

function isKey({ key }: php.PhpEntry, name: string): boolean {
  return key instanceof Uint8Array && key.length === name.length && textOf(key) === name;
}

function groupAt(bytes: Uint8Array, { start, end }: php.PhpSpan): string | undefined {
  const value = php.decodePhp(bytes, start, end);
  // An integer beyond the range of a number, which no other dialect has.
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array && isUtf8(value) ? groupNameOf(textOf(value)) : groupNameOf(value);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}
