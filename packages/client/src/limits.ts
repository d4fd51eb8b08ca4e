import type { ReconnectBounds } from '@groupcast/protocol/client';

// The limits, times and codes of the SDK that no option changes, together, so that bundlers put the numbers where they are used.

/** How often deadlines are looked at while there are any. */
export const SWEEP_MS = 250;

/** Looks at the silence of a gateway in the time that it may be silent. */
export const LOOKS = 4;

/** What the gateway says about its heartbeat is taken within these bounds. */
export const SILENCE_MS_MIN = 100;
export const SILENCE_MS = 35_000;
export const DURATION_MS_MAX = 3_600_000;

/** Of the option `sendTimeoutMs`: the hub knows a message again for 120 s. */
export const SEND_TIMEOUT_MS_MAX = 100_000;

/** Of other options. A timer cannot wait longer: it would go off at once. */
export const NUMBER_MAX = 2_147_483_647;

/** Attempts in a row that fail before a client that was never open calls the gateway unreachable. */
export const UNREACHABLE_ATTEMPTS = 5;

/** More than any connection carries. */
export const BYTES_PER_SECOND_UNLIMITED = 2_147_483_647;

/** What an `id` may add to a command whose size was measured without. */
export const ID_BYTES_MAX = 24;

export const MESSAGE_ID_BYTES_MAX = 128;
export const GROUP_ID_BYTES_MAX = 255;
export const EPOCH_BYTES_MAX = 255;

/** The codes of RFC 6455 for an end without a close frame and for a good one; and that of PROTOCOL.md for a peer that does not answer. */
export const NO_CLOSE_FRAME = 1006;
export const NORMAL = 1000;
export const NO_ANSWER = 4002;

/** Bounds of the wait between attempts to join that were refused for now. */
export const JOIN_RETRY_BOUNDS: ReconnectBounds = { minMs: 500, maxMs: 20_000 };

/** The same of attempts to publish: often enough to try several times within `sendTimeoutMs`. */
export const PUBLISH_RETRY_BOUNDS: ReconnectBounds = { minMs: 500, maxMs: 5_000 };
