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
  /** The member that is the sender itself and must not get the message (`exclude_self`). */
  readonly excludes?: string;
  /** Whether it is never repeated: a PHP worker's, who gets no answers. */
  readonly once?: boolean;
}

/** What became of a publish: the hub has it (`ok`), it was refused and will never be seen (`fail`), or nobody knows (`info`). */
type Answered =
  | { readonly type: 'ok'; readonly id: string; readonly position: Position }
  | { readonly type: 'fail'; readonly id: string; readonly code: string }
  | { readonly type: 'info'; readonly id: string; readonly code: string };

/** A member is in a group from here on: for the first time, or again. */
export interface Joined {
  readonly type: 'join';
  readonly member: string;
  readonly group: string;
  /** Where the group stood, as the answer to the join says. */
  readonly position: Position;
  /** What the member asked to go on from. Missing at a first join. */
  readonly since?: Position;
  /** What the answer says about `since`. */
  readonly recovered?: boolean;
  /** Why it was not recovered. */
  readonly reason?: string;
}

/** A member got a message. */
export interface Received {
  readonly type: 'recv';
  readonly member: string;
  readonly group: string;
  readonly position: Position;
  readonly id: string;
  /** Whether the checksum in the message fits the message. */
  readonly intact: boolean;
}

/** A member was told that it missed messages, and goes on behind `position`. */
export interface Gap {
  readonly type: 'gap';
  readonly member: string;
  readonly group: string;
  readonly position: Position;
  readonly reason: string;
}

/** A member has left a group, or is gone for good. */
interface Left {
  readonly type: 'leave';
  readonly member: string;
  readonly group: string;
}

/** A PHP worker has a connection to the hub from here on, or none. It follows all groups. */
interface PhpLink {
  readonly type: 'php-connected' | 'php-lost';
  readonly peer: string;
}

/** A PHP worker got a message; its wire has no positions. */
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

/** What shows that a fault did happen: a process is gone, bytes were held. */
interface Proof {
  readonly type: 'proof';
  readonly number: number;
  readonly detail: string;
}

/** The last message of a group, published when all faults are over: who has it has everything before it, or misses it. */
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
  | Gap
  | Left
  | PhpLink
  | PhpHeard
  | Fault
  | Proof
  | Marker;

/** What happened, and when: milliseconds of the machine's monotonic clock, which all processes of a host share. */
export type HistoryEvent = Happening & { readonly at: number };
