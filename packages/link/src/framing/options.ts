import {
  bytesWithin,
  limits,
  OPTION_BYTES_MAX,
  type OptionRanges,
  resolveOptions,
  TIMER_MS_MAX,
} from '@groupcast/protocol';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bounds of one link. All have defaults; times are counted in ticks, so that a paused process does not accuse its peers. */
export interface LinkOptions {
  /** Longest frame taken from the peer, in bytes, header included. Default 10 MiB. */
  readonly frameBytesMax: number;
  /** How long a frame may take from its first byte to its last, in milliseconds. Default 30,000. */
  readonly frameMs: number;
  /**
   * More bytes than this waiting to be sent, and the next message closes the peer as slow. One message that is
   * longer by itself does not count. Default 32 MiB.
   */
  readonly bufferBytesMax: number;
  /**
   * More bytes than this waiting, of which the peer takes less than an eighth of this in `bufferSoftMs`, and it is
   * closed as slow. Default 8 MiB, and never above `bufferBytesMax`.
   */
  readonly bufferBytesSoft: number;
  /** Default 10,000. */
  readonly bufferSoftMs: number;
  /** How long a closed link waits for the peer to take what is left, in milliseconds. Default 1,000. */
  readonly closeMs: number;
  /** How often the times above are looked at, in milliseconds. Default 1,000. */
  readonly tickMs: number;
  /** Whether sockets may be read and written past their streams where that is safe. Default true. */
  readonly directSockets: boolean;
}

export const LINK_DEFAULTS: LinkOptions = {
  frameBytesMax: limits.FRAME_BYTES_MAX,
  frameMs: 30_000,
  bufferBytesMax: 32 * MIB,
  bufferBytesSoft: 8 * MIB,
  bufferSoftMs: 10_000,
  closeMs: 1_000,
  tickMs: 1_000,
  directSockets: true,
};

export const LINK_RANGES: OptionRanges<LinkOptions> = {
  // Shorter ones have no body.
  frameBytesMax: { min: limits.FRAME_HEADER_BYTES + 1, max: limits.FRAME_BYTES_CEILING, unit: 'bytes' },
  frameMs: { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' },
  bufferBytesMax: { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' },
  bufferBytesSoft: { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' },
  bufferSoftMs: { min: 0, max: TIMER_MS_MAX, unit: 'milliseconds' },
  closeMs: { min: 0, max: TIMER_MS_MAX, unit: 'milliseconds' },
  tickMs: { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' },
};

/**
 * Fills in the defaults. Throws OptionError `bad_option`. `owner` and `prefix` name the options in its message, as for `resolveOptions`.
 */
export function completeLinkOptions(given: Partial<LinkOptions>, owner = 'Link', prefix = ''): LinkOptions {
  const options = resolveOptions(owner, LINK_DEFAULTS, LINK_RANGES, given, prefix);
  const { bufferBytesMax, bufferBytesSoft } = options;
  const isGiven = given.bufferBytesSoft !== undefined;
  const soft = { name: `${prefix}bufferBytesSoft`, bytes: bufferBytesSoft, isGiven };
  const max = { name: `${prefix}bufferBytesMax`, bytes: bufferBytesMax };
  return { ...options, bufferBytesSoft: bytesWithin(owner, soft, max) };
}

/** How often the hub and its native peers send something, unless the hub says otherwise, in milliseconds. */
export const HEARTBEAT_MS = 5_000;

/** A peer is gone when nothing came for this many heartbeats. */
export const HEARTBEATS_MISSED_MAX = 3;
