import { ERROR_MESSAGE_BYTES_MAX } from '../limits.ts';
import { encodeText } from '../text.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';

/** Hub to peer: a request was rejected, or (request 0) the hub closes the link. */
export interface ErrorMessage {
  readonly type: 'error';
  readonly request: number;
  /** A name of ERROR_CODES. A newer hub may have further ones. */
  readonly code: string;
  /** Text for people. */
  readonly message: string;
}

export function encodeError(error: Omit<ErrorMessage, 'type'>): Uint8Array {
  return new ByteWriter(OPCODES.error)
    .u64(error.request)
    .shortText(error.code)
    .text(cut(error.message))
    .frame();
}

export function decodeError(reader: ByteReader): ErrorMessage {
  return { type: 'error', request: reader.u64(), code: reader.shortText(), message: reader.text() };
}

function cut(message: string): string {
  if (encodeText(message).length <= ERROR_MESSAGE_BYTES_MAX) return message;
  // A UTF-16 unit has at most three bytes. Half a pair at the cut becomes U+FFFD, which has three
  // too.
  return message.slice(0, Math.floor(ERROR_MESSAGE_BYTES_MAX / 3));
}
