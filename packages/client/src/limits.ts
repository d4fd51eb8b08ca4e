import type { ReconnectBounds } from '@groupcast/protocol/client';

// The limits, times and codes that no option changes. They come before the objects, because
// bundlers inline leading constants only.

/** Milliseconds between two checks of the deadlines. */
export const SWEEP_MS = 250;

/** Checks for silence within the allowed time of silence. */
export const LOOKS = 4;

/** Milliseconds of silence: bounds and default for the heartbeat of the gateway. */
export const SILENCE_MS_MIN = 100;
export const SILENCE_MS = 35_000;
export const DURATION_MS_MAX = 3_600_000;

/** A token is refreshed when this share of its life is over, plus up to the spread. */
export const REFRESH_SHARE_MIN = 0.8;
export const REFRESH_SHARE_SPREAD = 0.1;

/** Minimum milliseconds before a refresh, for tokens with a very short life. */
export const REFRESH_MS_MIN = 1_000;

/** Maximum milliseconds between two looks at the clock before a refresh. */
export const TOKEN_LOOK_MS = 60_000;

/** Identifies a refresh. The `id` of any other command is a number. */
export const REFRESH_ID = 'refresh';

/** Maximum of the option `sendTimeoutMs`: the hub recognises a message for 120 s. */
export const SEND_TIMEOUT_MS_MAX = 100_000;

/** Maximum of the other options. A timer with a longer delay fires at once. */
export const NUMBER_MAX = 2_147_483_647;

/** Failed attempts in a row before a client that was never open reports `unreachable`. */
export const UNREACHABLE_ATTEMPTS = 5;

/** Bytes per second when the gateway does not limit them. */
export const BYTES_PER_SECOND_UNLIMITED = 2_147_483_647;

/** Maximum bytes of the `id` in a command. */
export const ID_BYTES_MAX = 24;

/** Seconds of a ban, and bytes of the reason of a kick or a ban. */
export const BAN_SECONDS_MAX = 315_360_000;
export const REASON_BYTES_MAX = 123;

/** Stands for the messages to the user, which have no group. */
export const USER_GROUP = '$user';

export const MESSAGE_ID_BYTES_MAX = 128;
export const GROUP_ID_BYTES_MAX = 255;
export const EPOCH_BYTES_MAX = 255;

/** Messages of one read of history. */
export const HISTORY_MESSAGES_MAX = 1_000;

/** Positions in one `resume`. The gateway rejects JSON of more than 2,048 values. */
export const RESUME_POSITIONS_MAX = 600;

/** Close codes: no close frame (local only), normal, no answer, and those of tokens. */
export const NO_CLOSE_FRAME = 1006;
export const NORMAL = 1000;
export const NO_ANSWER = 4002;
export const TOKEN_EXPIRED = 4010;
export const AUTH_TIMEOUT = 4011;
export const UNAUTHORIZED = 4501;

/** Bounds of the wait before a temporarily rejected join is retried. */
export const JOIN_RETRY_BOUNDS: ReconnectBounds = { minMs: 500, maxMs: 20_000 };

/** Bounds of the wait before a publish is retried: several attempts fit into `sendTimeoutMs`. */
export const PUBLISH_RETRY_BOUNDS: ReconnectBounds = { minMs: 500, maxMs: 5_000 };
