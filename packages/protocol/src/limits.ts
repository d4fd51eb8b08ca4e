// All limits of the wire. Options may change those that are called a default; the others are part
// of the format.

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of a frame's header: its own total length, big-endian. */
export const FRAME_HEADER_BYTES = 4;

/** Default limit for a frame between hub and peers, header included: that of the origin's hub. */
export const FRAME_BYTES_MAX = 10 * MIB;

/**
 * Upper bound of that limit in any configuration. The first four bytes of HTTP, TLS, SSH, RESP or
 * unframed JSON, read as a length, are larger, so such a peer is detected by its first four bytes.
 */
export const FRAME_BYTES_CEILING = 128 * MIB;

/** Limit for the bytes that the hub keeps of a peer before its proof. */
export const UNAUTHENTICATED_BYTES_MAX = 64 * KIB;

/** Bytes of UTF-8 in a group's name. */
export const GROUP_NAME_BYTES_MAX = 255;

/** Prefix of the channel of a group; the group's name follows. */
export const GROUP_CHANNEL_PREFIX = 'group:';

/**
 * Bytes of UTF-8 in a channel's name: room for the longest group name behind the prefix of groups,
 * or of a system channel.
 */
export const CHANNEL_NAME_BYTES_MAX = 320;

/** Beginning of the names of system channels, and of groups that belong to the system. */
export const SYSTEM_PREFIX = '$';

/** Prefix of the channel of a user; the user's id follows, whose rules are those of group names. */
export const USER_CHANNEL_PREFIX = '$user:';

/** Name of the user's own channel among groups, in `resume`. No group of the system has it. */
export const USER_GROUP = '$user';

/** Prefix of the channel on which gateways count the connections of a user; its id follows. */
export const CONNECTIONS_CHANNEL_PREFIX = '$connections:';

/** Keyed channel of bans and revocations. */
export const BANS_CHANNEL = '$bans';

/** Keyed channel of the configuration that hubs give to gateways. */
export const CONFIG_CHANNEL = '$config';

/** Key of the list of namespaces in `$config`. */
export const NAMESPACES_KEY = 'namespaces';

/** Namespaces of a hub. */
export const NAMESPACES_MAX = 1_000;

/** Bytes of the list of namespaces, which is one value of `$config`. */
export const NAMESPACES_BYTES_MAX: number = MIB;

/** Bounds of the history of a group in a namespace. */
export const NAMESPACE_HISTORY_COUNT_MAX = 1_000_000;
/** Thirty days. */
export const NAMESPACE_HISTORY_SECONDS_MAX: number = 30 * 86_400;
export const NAMESPACE_HISTORY_BYTES_MAX: number = 1_024 * 1_024 * MIB;

/** Messages per second of a group in a namespace. */
export const NAMESPACE_PUBLISH_PER_SECOND_MAX = 1_000_000;

/** Bytes of a token. */
export const TOKEN_BYTES_MAX: number = 4 * KIB;

/** Seconds of the longest ban that ends: ten years. */
export const BAN_SECONDS_MAX = 315_360_000;

/** Bytes of UTF-8 in a queue's name. */
export const QUEUE_NAME_BYTES_MAX = 255;

/**
 * Prefix of a dead-letter queue, before the name of its queue. No other name may begin so. The
 * whole fits where a channel's name does.
 */
export const DEAD_QUEUE_PREFIX = '$dead:';

/** Items of a queue that one watch may have at a time. */
export const CONCURRENCY_MAX = 1_000;

/**
 * Channels in one SUBSCRIBE, SUBSCRIBED or UNSUBSCRIBE, so that no frame blocks the hub for long.
 */
export const CHANNELS_PER_FRAME_MAX = 1_024;

/**
 * Default limit for the channels of one peer. A gateway worker needs one for each group with
 * members.
 */
export const CHANNELS_PER_PEER_MAX = 100_000;

/** Bytes of the nonces and proofs of the handshake: those of a SHA-256. */
export const NONCE_BYTES = 32;
export const PROOF_BYTES = 32;

/** Secrets that a hub accepts at a time: the current one, and the next one. */
export const SECRETS_MAX = 2;

/** Bytes in fields with a one-byte length: peer name, sender, message id, epoch, error code. */
export const SHORT_TEXT_BYTES_MAX = 255;

/** Bytes of the `meta` of a publication, UTF-8 JSON. */
export const META_BYTES_MAX: number = 4 * KIB;

/** Bytes of UTF-8 in the key of a keyed publication: room for a group's name and a user's id. */
export const KEY_BYTES_MAX = 520;

/** Bytes of an error message on the wire; longer ones are truncated. */
export const ERROR_MESSAGE_BYTES_MAX = 1_024;

/** Default limit for a text frame of a client, in bytes: that of Centrifugo. */
export const CLIENT_MESSAGE_BYTES_MAX = 64 * KIB;

/** Bytes of the publications in one page of history; a page has at least one publication. */
export const HISTORY_PAGE_BYTES_MAX: number = 64 * KIB;

/** Messages in one `history` of clients and of the JSON dialect, and of `last` of a client. */
export const HISTORY_MESSAGES_MAX = 1_000;

/** Bytes of a client's message id: room for a UUID with a prefix. */
export const MESSAGE_ID_BYTES_MAX = 128;

/** Bytes of a command's `id` that is a string. */
export const COMMAND_ID_BYTES_MAX = 128;

/** Default limit for the groups of one connection. */
export const GROUPS_PER_CONNECTION_MAX = 128;

/** Depth of the JSON of clients and peers: V8 parses 5,000,000 levels, and cannot write 4,200. */
export const JSON_DEPTH_MAX = 64;

/** Keys of one object in a client's JSON, outside the message and positions. */
export const JSON_KEYS_MAX = 32;

/**
 * Values in the JSON of a client or peer, outside the message or data: room for the names of a
 * request with CHANNELS_PER_FRAME_MAX, and for later additions.
 */
export const JSON_NODES_MAX = 2_048;

/**
 * Bytes of the reason in a WebSocket close frame (RFC 6455, section 5.5: 125 less the two of the
 * code).
 */
export const CLOSE_REASON_BYTES_MAX = 123;

/** Depth of PHP arrays; 1 is an array without arrays in it. PHP itself stops at 4,096. */
export const PHP_DEPTH_MAX = 64;

/** Elements of all arrays in one PHP value together. */
export const PHP_ELEMENTS_MAX = 10_000;

/** Bytes of a PHP float: `serialize_precision` is mostly 17 digits or fewer, and at most 100. */
export const PHP_FLOAT_BYTES_MAX = 128;
