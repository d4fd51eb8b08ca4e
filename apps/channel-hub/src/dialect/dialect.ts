import type { native, Position, ProtocolError } from '@groupcast/protocol';
import type { HistorySlot, PublishSlot } from '../engine/engine.ts';
import type { QueuePeer } from '../queue/queue-peer.ts';
import type { RequestId } from '../routing/subscriber.ts';

/** What a peer asks for, in whatever dialect: the session does it. Each may throw ProtocolError. */
export interface Requests {
  /** The peer's number. */
  readonly peer: number;
  readonly queues: Pick<QueuePeer, 'enqueue' | 'consumer' | 'sendItem'>;
  /** The peer says who it is, and wants proof from the hub. */
  hello(nonce: Uint8Array, name: string): void;
  proof(proof: Uint8Array): void;
  /** Makes sure that the peer may make requests, which all that follow do by themselves. Throws ProtocolError. */
  begin(): void;
  subscribe(request: RequestId, subjects: readonly native.Subject[]): void;
  unsubscribe(subjects: readonly native.Subject[]): void;
  /** `frame` is the PUBLISH that the publication was read from; it is given away. */
  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void;
  /** The same for `count` PUBLISH frames without a message id that lie side by side from `start` to `end`. */
  publishRun(bytes: Uint8Array, start: number, end: number, count: number, slot: PublishSlot): void;
  /** What came in a channel after a position? */
  history(channel: string, since: Position, slot: HistorySlot, request: number): void;
  /** A frame to the peer. */
  send(frame: Uint8Array): void;
  /** A page of history to the peer: what announces it, and the DELIVERs. */
  sendPage(header: Uint8Array, frames: readonly Uint8Array[]): void;
  /** Values of a PHP peer, handed out here, that JSON could not say. */
  countLossy(count: number): void;
  /** Tells the peer that its request cannot be done. */
  refuse(request: RequestId, error: ProtocolError): void;
  /** The same, where the peer wanted no answer. */
  countRefusal(error: ProtocolError): void;
}

/** What the hub sends to a peer that must prove itself. */
export type HubChallenge = Omit<native.Challenge, 'type'>;

/** How one peer writes: turns its frames into requests, and what the session answers into frames. */
export interface Dialect {
  readonly name: 'native' | 'json' | 'php';
  /** Whether the peer must say hello before anything else, or may begin with any request where it need not prove itself. */
  readonly helloFirst: boolean;
  /** Whether both sides send empty frames to show that they live. */
  readonly heartbeats: boolean;
  /** Whether a frame that cannot be read ends the session, or is only answered. */
  readonly strict: boolean;
  /** Whether DELIVERs that lie side by side can be sent as one slice. */
  readonly takesRuns: boolean;
  /** Reads one frame, header included, that is not a keep-alive; it may be put off until `receivedAll`, in order. Throws ProtocolError. */
  receive(bytes: Uint8Array, start: number, end: number): void;
  /** Does what was put off. Throws ProtocolError. */
  receivedAll(): void;
  challenge(challenge: HubChallenge): void;
  welcome(heartbeatMs: number, frameBytesMax: number): void;
  subscribed(request: RequestId, entries: readonly native.SubscribedEntry[]): void;
  /** The hub is about to end. Whether the peer was told: where its dialect has no word for it, it is not. */
  goaway(reconnectAfterMs: number): boolean;
  /** Request undefined: the error is about the whole session. */
  error(request: RequestId, error: ProtocolError): void;
  deliver(frame: Uint8Array): void;
  /** The session is over. */
  ended(): void;
}
