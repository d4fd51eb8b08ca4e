import { isUtf8 } from 'node:buffer';
import { groupNameOf, php } from '@groupcast/protocol';

/** What a bridged event says: a message to a group. */
export interface GroupMessage {
  /** Name of the group. */
  readonly group: string;
  /** Where the message lies in what was read. */
  readonly message: php.PhpSpan;
}

const GROUP_KEY = 'group_id';
const MESSAGE_KEY = 'message';

/** The first byte of a serialized array. */
const ARRAY_TAG = 0x61;

/**
 * The one place where events of PHP workers and groups are told to be the same: the data of a bridged event, `['group_id' => '123', 'message' => 'hi']`,
 * is a message to that group. Undefined for data of another form. Throws ProtocolError for what is no PHP value.
 */
export function readGroupMessage(bytes: Uint8Array, { start, end }: php.PhpSpan): GroupMessage | undefined {
  if (bytes[start] !== ARRAY_TAG) return undefined;
  let group: string | undefined;
  let message: php.PhpSpan | undefined;
  for (const entry of php.entriesOf(bytes, start, end)) {
    // The last one counts, as in PHP.
    if (isKey(entry, GROUP_KEY)) group = groupAt(bytes, entry);
    else if (isKey(entry, MESSAGE_KEY)) message = entry;
  }
  return group === undefined || message === undefined ? undefined : { group, message };
}

/** The same in the other direction; `message` is a serialized value. */
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
  // An integer beyond what a number can say: no other dialect has one.
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array && isUtf8(value) ? groupNameOf(textOf(value)) : groupNameOf(value);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}
