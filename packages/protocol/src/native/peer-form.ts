import { toBare, withoutBytes } from './bare.ts';
import { CAPABILITIES, hasCapability } from './capabilities.ts';
import { OPCODES } from './opcode.ts';
import { EPHEMERAL_FLAG, FLAGS_AT, KEY_HEADER_BYTES, KEYED_FLAG, OPCODE_AT } from './publication.ts';
import { lifeAt } from './publication-span.ts';

/**
 * Returns the form of a frame for a peer that announced these capabilities, or undefined for an
 * ephemeral publication that it does not understand.
 */
export function formFor(frame: Uint8Array, announced: number): Uint8Array | undefined {
  if (!hasCapability(announced, CAPABILITIES.extended)) return toBare(frame);
  if (frame[OPCODE_AT] !== OPCODES.deliver) return frame;
  const flags = frame[FLAGS_AT] ?? 0;
  if ((flags & EPHEMERAL_FLAG) !== 0 && !hasCapability(announced, CAPABILITIES.ephemeral)) return undefined;
  const showsKey = (flags & KEYED_FLAG) === 0 || hasCapability(announced, CAPABILITIES.keyed);
  return showsKey ? frame : withoutKey(frame);
}

/** Returns a copy of a keyed DELIVER as an ordinary one. */
function withoutKey(frame: Uint8Array): Uint8Array {
  const at = lifeAt(frame);
  const keyLengthAt = at + KEY_HEADER_BYTES - 2;
  const keyBytes = ((frame[keyLengthAt] ?? 0) << 8) | (frame[keyLengthAt + 1] ?? 0);
  const plain = withoutBytes(frame, at, KEY_HEADER_BYTES + keyBytes);
  plain[FLAGS_AT] = (frame[FLAGS_AT] ?? 0) & ~KEYED_FLAG;
  return plain;
}
