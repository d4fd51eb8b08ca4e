/**
 * Bits of HELLO and WELCOME. A side sends what needs a capability only to a side that announced it.
 * A frame without the field announces nothing, not even `extended`.
 */
export const CAPABILITIES = {
  /** The layouts of this version. Without it a peer reads and writes those of bare.ts. */
  extended: 0x0000_0001,
  /** Publications without an offset. */
  ephemeral: 0x0000_0002,
  /** Publications with a key, and snapshots of keyed channels. */
  keyed: 0x0000_0004,
} as const;

/** Capabilities of this version, as bits. */
export const ALL_CAPABILITIES: number = CAPABILITIES.extended | CAPABILITIES.ephemeral | CAPABILITIES.keyed;

/** First opcode without a meaning, and its bit. Each further opcode has the next bit. */
const FIRST_LATER_OPCODE = 0x16;
const FIRST_LATER_BIT = 16;
const LAST_OPCODE = 0x1f;

/** Returns whether all of these bits are announced. */
export function hasCapability(announced: number, bits: number): boolean {
  return (announced & bits) === bits;
}

/**
 * Returns whether a side that announced these capabilities may send an opcode that this version
 * does not know. The reader skips such a frame.
 */
export function mayHaveOpcode(announced: number, opcode: number): boolean {
  if (opcode < FIRST_LATER_OPCODE || opcode > LAST_OPCODE) return false;
  return ((announced >>> (FIRST_LATER_BIT + opcode - FIRST_LATER_OPCODE)) & 1) === 1;
}
