import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';

/**
 * Hub to peer: the hub is about to end. The peer sends no new requests, waits for the answers to those under way, closes the
 * link, and comes back. Deliveries go on until then.
 */
export interface Goaway {
  readonly type: 'goaway';
  /** How long the peer should wait before it connects again, in milliseconds. */
  readonly reconnectAfterMs: number;
}

export function encodeGoaway(goaway: Omit<Goaway, 'type'>): Uint8Array {
  return new ByteWriter(OPCODES.goaway).u32(goaway.reconnectAfterMs).frame();
}

export function decodeGoaway(reader: ByteReader): Goaway {
  return { type: 'goaway', reconnectAfterMs: reader.u32() };
}
