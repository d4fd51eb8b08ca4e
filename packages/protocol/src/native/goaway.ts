import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';

/**
 * Hub to peer: the hub is shutting down. The peer sends no new requests, waits for pending answers,
 * closes the link, and reconnects. Deliveries continue until then.
 */
export interface Goaway {
  readonly type: 'goaway';
  /** Minimum delay before the peer reconnects, in milliseconds. */
  readonly reconnectAfterMs: number;
}

export function encodeGoaway(goaway: Omit<Goaway, 'type'>): Uint8Array {
  return new ByteWriter(OPCODES.goaway).u32(goaway.reconnectAfterMs).frame();
}

export function decodeGoaway(reader: ByteReader): Goaway {
  return { type: 'goaway', reconnectAfterMs: reader.u32() };
}
