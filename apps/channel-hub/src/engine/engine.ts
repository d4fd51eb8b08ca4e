import type { native, Position, ProtocolError } from '@groupcast/protocol';

/**
 * What keeps publications and carries them between hubs: it alone gives offsets. The contract is asynchronous; an engine
 * that answers in the same call keeps it too. Nobody may rely on an answer in the same turn.
 *
 * - A publication of a followed channel goes to the sink, whoever published it: in offset order within a channel.
 * - `follow` is answered before the first delivery that comes after the answered position.
 * - `publish` is answered before or after its delivery.
 * - Calls take effect in the order in which they were made.
 */
export interface Engine {
  /** Once, before anything else. */
  start(sink: EngineSink): Promise<void>;
  /**
   * Takes a publication over, with the PUBLISH frame that it was read from, which the engine turns into the DELIVER in place: nobody
   * else may use the frame after this call. With request 0 nobody waits for the position, and `published` is not called.
   */
  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void;
  /** From the answer on the sink gets the subject's publications. Only for a subject that is not followed. */
  follow(subject: native.Subject, slot: FollowSlot): void;
  /** Deliveries and answers that are on their way may still come. */
  unfollow(subject: native.Subject): void;
  /** Publications that come later are refused. */
  close(): Promise<void>;
  stats(): EngineStats;
}

/** Who waits for the answer to a publication. One object serves many requests, so that no message needs a closure. */
export interface PublishSlot {
  published(request: number, position: Position): void;
  refused(request: number, error: ProtocolError): void;
}

/** Who waits for the answer to `follow`: exactly one of the two, once. */
export interface FollowSlot {
  /** Every later publication has a higher offset. A prefix has no position: epoch '' and offset 0. */
  followed(position: Position): void;
  /** The subject is not followed. */
  notFollowed(error: ProtocolError): void;
}

/** Where deliveries go. */
export interface EngineSink {
  /** `frame` is the whole DELIVER; it is read-only from here on. */
  deliver(channel: string, offset: number, frame: Uint8Array): void;
}

export interface EngineStats {
  /** Channels that the engine keeps something for. */
  readonly channels: number;
  /** Prefixes that are followed. */
  readonly prefixes: number;
}

/** The position of a prefix. */
export const NO_POSITION: Position = { epoch: '', offset: 0 };
