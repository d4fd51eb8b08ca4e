import type { ErrorCode, native, ProtocolError } from '@groupcast/protocol';
import type { HistoryQuery, HistorySlot, PublishSlot } from '../engine/engine.ts';
import type { QueuePeer } from '../queue/queue-peer.ts';
import type { RequestId } from '../routing/subscriber.ts';

/** Frames to one peer. */
export interface Output {
  /** Sends a frame. `key`: what it can be recalled by. */
  send(frame: Uint8Array, key?: string): void;
  /**
   * Sends what goes to this peer alone and is no answer, such as an item; it counts as delivered.
   */
  sendToOne(frame: Uint8Array, key?: string): void;
  /** Sends a page of history: its header and its DELIVER frames. */
  sendPage(header: Uint8Array, frames: readonly Uint8Array[]): void;
  /** Keeps frames recallable from now on until the kernel accepts them. */
  allowRecall(): void;
  /** Removes the frames of a key that have not left. Returns their number. */
  recall(key: string): number;
}

/** The requests of one peer, whatever its dialect. Each may throw ProtocolError. */
export interface Requests {
  /** Number of the peer. */
  readonly id: number;
  readonly output: Output;
  readonly queues: Pick<QueuePeer, 'enqueue' | 'consumer' | 'sendItem'>;
  /** Introduces the peer, which wants proof from the hub. */
  hello(nonce: Uint8Array, name: string): void;
  proof(proof: Uint8Array): void;
  /**
   * Throws ProtocolError unless the peer may make requests. The requests below call it themselves.
   */
  ensureOpen(): void;
  subscribe(request: RequestId, subjects: readonly native.Subject[]): void;
  unsubscribe(subjects: readonly native.Subject[]): void;
  /**
   * Returns the error if one of these channels belongs to the system, and the peer may not use it.
   * `subscribe` and `history` check it themselves.
   */
  systemChannelError(channels: readonly string[]): ProtocolError | undefined;
  /**
   * Publishes. `frame` is the PUBLISH that the publication was read from; the caller gives it away.
   */
  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void;
  /** Publishes `count` PUBLISH frames without a message id, side by side from `start` to `end`. */
  publishRun(bytes: Uint8Array, start: number, end: number, count: number, slot: PublishSlot): void;
  /** Reads one page of the history of a channel. */
  history(query: HistoryQuery, slot: HistorySlot, request: number): void;
  /**
   * Continues a request in later turns of the event loop, before anything else is read. `doPiece`
   * returns whether there is more to do.
   */
  inPieces(doPiece: () => boolean): void;
  /** Answers that a request is rejected. */
  reject(request: RequestId, error: ProtocolError): void;
  /** Counts a rejection that the peer wants no answer to. */
  countRejection(error: ProtocolError): void;
  /** Counts and logs a dropped part of a request, where the dialect has no answer for it. */
  drop(error: ProtocolError): void;
  /** Counts something received that is no publication. */
  countReceived(): void;
  /** Counts a frame of a later version. */
  countSkipped(): void;
  /** Counts values of PHP peers, delivered to this peer, that JSON cannot represent. */
  countLossy(count: number): void;
  /** Sends what is buffered, then closes. */
  close(end: ErrorCode, error: ProtocolError): void;
}

/** The hub's answer to a peer that must prove itself. */
export type HubChallenge = Omit<native.Challenge, 'type'>;

/**
 * The dialect of one peer: turns its frames into requests, and answers and publications into
 * frames.
 */
export interface PeerDialect {
  readonly name: 'native' | 'json' | 'php';
  /** Whether hello must come first. Otherwise a trusted peer may begin with any request. */
  readonly helloFirst: boolean;
  /** Whether both sides send empty frames as heartbeats. */
  readonly heartbeats: boolean;
  /** Whether an invalid frame closes the peer, instead of being answered with an error. */
  readonly strict: boolean;
  /** Whether DELIVER frames side by side may be sent as one slice. */
  readonly acceptsRuns: boolean;
  /** Whether ephemeral publications are delivered to the peer. */
  readonly acceptsEphemeral: boolean;
  /**
   * Reads one frame, header included, that is no keep-alive. Its request may be put off, in order,
   * until `receivedAll`. Throws ProtocolError.
   */
  receive(bytes: Uint8Array, start: number, end: number): void;
  /** Makes the requests that were put off. Throws ProtocolError. */
  receivedAll(): void;
  challenge(challenge: HubChallenge): void;
  welcome(heartbeatMs: number, frameBytesMax: number): void;
  subscribed(request: RequestId, entries: readonly native.SubscribedEntry[]): void;
  /** Asks the peer to leave. Returns false where the dialect has no frame for it. */
  goaway(reconnectAfterMs: number): boolean;
  /** Sends an error. With request undefined it is about the whole connection. */
  error(request: RequestId, error: ProtocolError): void;
  deliver(frame: Uint8Array): void;
  /** The peer has left. */
  ended(): void;
}
