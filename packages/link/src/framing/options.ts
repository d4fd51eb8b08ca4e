import {
  bytesWithin,
  flagOption,
  integerOption,
  OPTION_BYTES_MAX,
  type OptionsOf,
  resolveOptions,
  TIMER_MS_MAX,
} from '@groupcast/options';
import { limits } from '@groupcast/protocol';

const KIB = 1024;
const MIB = 1024 * KIB;

const TIME = { min: 0, max: TIMER_MS_MAX, unit: 'milliseconds' } as const;
const BYTES = { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' } as const;

/**
 * Options of one link. Times are counted in ticks, so that a process that was paused does not blame
 * its peers.
 */
export const LINK_TABLE = {
  /** Longest frame that is accepted from the peer, in bytes, header included. Default 10 MiB. */
  frameBytesMax: integerOption({
    default: limits.FRAME_BYTES_MAX,
    // Shorter ones have no body.
    min: limits.FRAME_HEADER_BYTES + 1,
    max: limits.FRAME_BYTES_CEILING,
    unit: 'bytes',
  }),
  /** Time from the first byte of a frame to its last, in milliseconds. Default 30,000. */
  frameMs: integerOption({ ...TIME, default: 30_000, min: 1 }),
  /**
   * Bytes that may wait for the peer; above it the next message closes the peer as slow. One
   * message that is longer by itself does not count. Default 32 MiB.
   */
  bufferBytesMax: integerOption({ ...BYTES, default: 32 * MIB }),
  /**
   * Bytes that may wait for a peer that keeps up. Above it, a peer that reads less than an eighth
   * of this in `bufferSoftMs` is closed as slow. Default 8 MiB, and never above `bufferBytesMax`.
   */
  bufferBytesSoft: integerOption({ ...BYTES, default: 8 * MIB }),
  /** Period over which `bufferBytesSoft` is measured, in milliseconds. Default 10,000. */
  bufferSoftMs: integerOption({ ...TIME, default: 10_000 }),
  /**
   * Time that a closed link waits for the peer to read the rest, in milliseconds. Default 1,000.
   */
  closeMs: integerOption({ ...TIME, default: 1_000 }),
  /** Interval at which the times above are checked, in milliseconds. Default 1,000. */
  tickMs: integerOption({ ...TIME, default: 1_000, min: 1 }),
  /** Whether sockets are read and written below their streams, where that is safe. Default true. */
  directSockets: flagOption({ default: true }),
};

/** Options of one link. All have defaults. */
export type LinkOptions = OptionsOf<typeof LINK_TABLE>;

/**
 * Fills in the defaults. Throws OptionError `bad_option`. `owner` and `prefix` name the options in
 * its message, as for `resolveOptions`.
 */
export function completeLinkOptions(given: Partial<LinkOptions>, owner = 'Link', prefix = ''): LinkOptions {
  const options = resolveOptions(owner, LINK_TABLE, given, prefix);
  const { bufferBytesMax, bufferBytesSoft } = options;
  const isGiven = given.bufferBytesSoft !== undefined;
  const soft = { name: `${prefix}bufferBytesSoft`, bytes: bufferBytesSoft, isGiven };
  const max = { name: `${prefix}bufferBytesMax`, bytes: bufferBytesMax };
  return { ...options, bufferBytesSoft: bytesWithin(owner, soft, max) };
}

/**
 * How often the hub and its native peers send something, unless the hub says otherwise, in
 * milliseconds.
 */
export const HEARTBEAT_MS = 5_000;

/** A peer is gone when nothing came for this many heartbeats. */
export const HEARTBEATS_MISSED_MAX = 3;
