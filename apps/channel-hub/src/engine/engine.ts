import type { native, Position, ProtocolError } from '@groupcast/protocol';
import type { TrimReason } from './memory/history.ts';

/**
 * What keeps publications and carries them between hubs: it alone gives offsets. The contract is asynchronous; an engine
 * that answers in the same call keeps it too. Nobody may rely on an answer in the same turn.
 *
 * - Within an epoch the offsets of a channel rise by one with each publication. An engine may forget a channel that nobody follows;
 *   the next offset may then jump ahead, never back.
 * - A publication of a followed channel goes to the sink, whoever published it: in offset order within a channel.
 * - `follow` is answered before the first delivery that comes after the answered position.
 * - `history` is answered in order with the deliveries: all that the sink gets of the channel up to the answered position comes
 *   before the answer, and all that comes after the answer is behind that position.
 * - A position that was told can be asked for as long as history is kept, even when nobody follows its channel.
 * - `publish` is answered before or after its delivery.
 * - A publication with a message id is stored once for each (channel, sender, message id): a repetition within a bounded time
 *   is answered with the first one's position, and is not delivered.
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
  /**
   * The same for all PUBLISH frames that lie side by side from `start` to `end`, none of which has a message id; the engine may do without it. It
   * is for engines that answer in the same call: what it delivers goes to `sink` before it returns, with the one exception that
   * what is not plain may go to the engine's own sink. Throws ProtocolError for a channel that is no name, when all before it is done.
   */
  publishRun?(bytes: Uint8Array, start: number, end: number, slot: PublishSlot, sink: RunSink): void;
  /** From the answer on the sink gets the subject's publications. Only for a subject that is not followed. */
  follow(subject: native.Subject, slot: FollowSlot): void;
  /** Deliveries and answers that are on their way may still come. */
  unfollow(subject: native.Subject): void;
  /** What came in a channel after a position. The channel need not be followed. */
  history(channel: string, since: Position, slot: HistorySlot, request: number): void;
  /** Publications that come later are refused. */
  close(): Promise<void>;
  stats(): EngineStats;
}

/** Who waits for the answer to a publication. One object serves many requests, so that no message needs a closure. */
export interface PublishSlot {
  /** The number of the peer that publishes: what is kept of publications that name no sender is its share. */
  readonly publisher: number;
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

/** Who waits for the answer to `history`: exactly one of the two for each request. One object serves many requests. */
export interface HistorySlot {
  page(request: number, page: HistoryPage): void;
  notRead(request: number, error: ProtocolError): void;
}

/** What came after a position, or its beginning where it is long. */
export interface HistoryPage {
  /** Only a recovered page has frames. */
  readonly verdict: native.HistoryVerdict;
  /** Where the channel stands. */
  readonly position: Position;
  /**
   * DELIVER frames from the position that was asked for on, without a gap; read-only. As many as fit 64 KiB, but one at least where
   * something came. The last one is at `position`, or there is more.
   */
  readonly frames: readonly Uint8Array[];
}

/** Where deliveries go. */
export interface EngineSink {
  /** `frame` is the whole DELIVER; it is read-only from here on. */
  deliver(channel: string, offset: number, frame: Uint8Array): void;
}

/** Where the deliveries of a run go. */
export interface RunSink {
  /**
   * `count` DELIVERs of one channel that lie side by side from `start` to `end`, the last one at `offset`. `follower`: what the channel was followed
   * with. They are read-only from here on.
   */
  deliverRun(
    follower: FollowSlot,
    offset: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
  ): void;
}

/** Gauges, and counters since the start. */
export interface EngineStats {
  /** Channels that the engine keeps more for than a position. */
  readonly channels: number;
  /** Prefixes that are followed. */
  readonly prefixes: number;
  readonly history: HistoryStats;
}

/** What an engine keeps, and what became of it. */
export interface HistoryStats {
  /** Publications that are kept. */
  readonly publications: number;
  /** What history takes, in bytes, with an estimate of what each channel and each block of publications costs beside. */
  readonly bytes: number;
  /** Publications that were given up, by the bound that they broke. */
  readonly trimmed: Readonly<Record<TrimReason, number>>;
  /** Channels that lost all their publications for want of room. */
  readonly channelsDropped: number;
  /** Channels without publications and followers whose position somebody was told lately. */
  readonly positions: number;
  /** Such positions that were forgotten early, for want of room. */
  readonly positionsDropped: number;
  /** Answers to `history`. */
  readonly reads: Readonly<Record<native.HistoryVerdict, number>>;
  /** Message ids that a repetition would be known by. */
  readonly messageIds: number;
  /** Message ids that were forgotten early, because there were too many. */
  readonly messageIdsDropped: number;
  /** Repetitions that were answered and not stored. */
  readonly duplicates: number;
}

/** The position of a prefix. */
export const NO_POSITION: Position = { epoch: '', offset: 0 };
