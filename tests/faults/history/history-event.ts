/** One position in a group's history. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** A publisher is about to send. Logged before the first byte leaves. */
export interface Invoked {
  readonly type: 'inv';
  readonly id: string;
  readonly publisher: string;
  readonly group: string;
  /** Rises by one with each message of this publisher to this group. */
  readonly seq: number;
  /** The member that is the sender itself and must not receive the message (`exclude_self`). */
  readonly excludes?: string;
  /** Whether it is never repeated: a message of a PHP worker, which gets no answers. */
  readonly once?: boolean;
  /** Whether it takes no offset, and may be lost. */
  readonly ephemeral?: boolean;
}

/**
 * Outcome of a publish: accepted by the hub (`ok`, without a position if it is ephemeral), rejected
 * and never delivered (`fail`), or unknown (`info`).
 */
type Answered =
  | { readonly type: 'ok'; readonly id: string; readonly position?: Position }
  | { readonly type: 'fail'; readonly id: string; readonly code: string }
  | { readonly type: 'info'; readonly id: string; readonly code: string };

/** A member joined a group, for the first time or again. */
export interface Joined {
  readonly type: 'join';
  readonly member: string;
  readonly group: string;
  /** Position of the group in the answer to the join. */
  readonly position: Position;
  /** Position that the member asked to recover from. Missing at a first join. */
  readonly since?: Position;
  /** The answer's statement about `since`. */
  readonly recovered?: boolean;
  /** Reason for which it was not recovered. */
  readonly reason?: string;
  /** Earlier messages that the member asked for, and that follow: the newest up to `position`. */
  readonly count?: number;
}

/** A member received a message. */
export interface Received {
  readonly type: 'recv';
  readonly member: string;
  readonly group: string;
  readonly position: Position;
  readonly id: string;
  /** Whether the checksum in the message fits the message. */
  readonly intact: boolean;
}

/** A member received an ephemeral message. */
export interface ReceivedEphemeral {
  readonly type: 'recv-ephemeral';
  readonly member: string;
  readonly group: string;
  readonly id: string;
  /** Whether the checksum in the message fits the message. */
  readonly intact: boolean;
}

/** One message of an answer to `history`. */
interface EarlierMessage {
  readonly id: string;
  readonly offset: number;
  readonly intact: boolean;
}

/** A reader is about to ask for the history of a group. */
interface Asked {
  readonly type: 'ask';
  readonly read: string;
  readonly group: string;
}

/** A reader, which sends nothing itself, got an answer to `history`. */
export interface Read {
  readonly type: 'read';
  /** Identifies the `ask`. */
  readonly read: string;
  readonly group: string;
  /** Position up to which the answer has all messages. */
  readonly position: Position;
  readonly verdict: string;
  /** Whether the group has messages after `position`. */
  readonly more: boolean;
  /** Position that it asked to read on from. Missing if it asked for the newest messages. */
  readonly since?: Position;
  readonly messages: readonly EarlierMessage[];
}

/** A member got a gap, and continues after `position`. */
export interface Gap {
  readonly type: 'gap';
  readonly member: string;
  readonly group: string;
  readonly position: Position;
  readonly reason: string;
}

/** A member left a group, or closed. */
interface Left {
  readonly type: 'leave';
  readonly member: string;
  readonly group: string;
}

/** A PHP worker connected to the hub or lost its connection. It subscribes to all groups. */
interface PhpLink {
  readonly type: 'php-connected' | 'php-lost';
  readonly peer: string;
}

/** A PHP worker received a message; its wire has no positions. */
export interface PhpHeard {
  readonly type: 'php-heard';
  readonly peer: string;
  readonly group: string;
  readonly id: string;
  /** Whether the checksum in the message fits the message. */
  readonly intact: boolean;
}

/** A fault is injected; `number` names it in its proof. */
interface Fault {
  readonly type: 'fault';
  readonly number: number;
  readonly name: string;
}

/** Proof that a fault happened: a process ended, bytes were held back. */
interface Proof {
  readonly type: 'proof';
  readonly number: number;
  readonly detail: string;
}

/**
 * The last message of a group, published when all faults are over. A member that receives it has
 * all messages before it, or misses them.
 */
interface Marker {
  readonly type: 'marker';
  readonly group: string;
  readonly id: string;
}

export type Happening =
  | Invoked
  | Answered
  | Joined
  | Received
  | ReceivedEphemeral
  | Asked
  | Read
  | Gap
  | Left
  | PhpLink
  | PhpHeard
  | Fault
  | Proof
  | Marker;

/**
 * An event with its time: milliseconds of the machine's monotonic clock, which all processes share.
 */
export type HistoryEvent = Happening & { readonly at: number };
