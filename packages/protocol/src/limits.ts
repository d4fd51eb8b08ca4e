// Every number that bounds the wire. Options may tighten or widen what says "default"; the rest is the format.

const KIB = 1024;
const MIB = 1024 * KIB;

/** A frame begins with its own total length, 4 bytes big-endian. */
export const FRAME_HEADER_BYTES = 4;

/** Default for the longest frame between hub and peers, header included: what the origin's hub takes. */
export const FRAME_BYTES_MAX = 10 * MIB;

/**
 * No configuration may go above this. The first four bytes of HTTP, TLS, SSH, RESP or unframed JSON, read as a
 * length, are all larger, so such a peer is recognised by its first four bytes.
 */
export const FRAME_BYTES_CEILING = 128 * MIB;

/** Before a peer has proved who it is, it may not make the hub hold more than this. */
export const UNAUTHENTICATED_BYTES_MAX = 64 * KIB;

/** A group's name, in bytes of UTF-8. */
export const GROUP_NAME_BYTES_MAX = 255;

/** Each group is one channel of the hub: this prefix, then the group's name. */
export const GROUP_CHANNEL_PREFIX = 'group:';

/** A channel's name, in bytes of UTF-8: the longest group name and the prefix. */
export const CHANNEL_NAME_BYTES_MAX: number = GROUP_CHANNEL_PREFIX.length + GROUP_NAME_BYTES_MAX;

/** A queue's name, in bytes of UTF-8. */
export const QUEUE_NAME_BYTES_MAX = 255;

/** What a queue gives up is in the queue of this prefix and its name. No other name may begin so: it fits where a channel's name does. */
export const DEAD_QUEUE_PREFIX = '$dead:';

/** Items of a queue that one watch may have at a time. */
export const CONCURRENCY_MAX = 1_000;

/** Channels in one SUBSCRIBE, SUBSCRIBED or UNSUBSCRIBE, so that one frame never holds the hub's loop for long. */
export const CHANNELS_PER_FRAME_MAX = 1_024;

/** Default for the channels of one hub session; a gateway worker needs one for each group that has members. */
export const CHANNELS_PER_PEER_MAX = 100_000;

/** Nonces and proofs of the handshake: as long as a SHA-256. */
export const NONCE_BYTES = 32;
export const PROOF_BYTES = 32;

/** Secrets that a hub accepts at a time: the one, and the one that takes its place. */
export const SECRETS_MAX = 2;

/** Fields with a one-byte length: peer name, sender, message id, epoch, error code. */
export const SHORT_TEXT_BYTES_MAX = 255;

/** An error's sentence on the wire; longer ones are cut. */
export const ERROR_MESSAGE_BYTES_MAX = 1_024;

/** Default for a text frame of a client: what Centrifugo takes too. */
export const CLIENT_MESSAGE_BYTES_MAX = 64 * KIB;

/** Publications in one page of history, in bytes of their frames; a page has at least one publication. */
export const HISTORY_PAGE_BYTES_MAX: number = 64 * KIB;

/** Messages in one `history` of the JSON dialect. */
export const HISTORY_MESSAGES_MAX = 1_000;

/** A client's message id: long enough for a UUID with a prefix. */
export const MESSAGE_ID_BYTES_MAX = 128;

/** A command's `id`, when it is a string. */
export const COMMAND_ID_BYTES_MAX = 128;

/** Default for the groups of one connection. */
export const GROUPS_PER_CONNECTION_MAX = 128;

/** How deep JSON of clients and peers may nest: V8 parses 5,000,000 levels and then cannot write 4,200 back. */
export const JSON_DEPTH_MAX = 64;

/** Keys of one object in a client's JSON, outside the message. */
export const JSON_KEYS_MAX = 32;

/**
 * Values in the JSON of a client or peer, outside the message or data: room for the names of a request of
 * CHANNELS_PER_FRAME_MAX, and for what a later version adds.
 */
export const JSON_NODES_MAX = 2_048;

/** The reason in a WebSocket close frame, in bytes (RFC 6455, section 5.5: 125 less the two of the code). */
export const CLOSE_REASON_BYTES_MAX = 123;

/** How deep PHP arrays may nest; 1 is a value with no array in an array. PHP itself stops at 4,096. */
export const PHP_DEPTH_MAX = 64;

/** Elements of all arrays in one PHP value together. */
export const PHP_ELEMENTS_MAX = 10_000;

/** The text of a PHP float: `serialize_precision` is 17 digits or fewer, and 100 where somebody wants to see all. */
export const PHP_FLOAT_BYTES_MAX = 128;
