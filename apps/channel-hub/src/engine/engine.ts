import type { native, Position, ProtocolError } from '@groupcast/protocol';

/**
 * An engine keeps publications, carries them between hubs, and alone assigns offsets. The contract
 * is asynchronous. An engine that answers within the call keeps it too; callers must not rely on
 * that.
 *
 * - Within an epoch, each publication raises the offset of its channel by one. An engine may forget
 *   a channel without a subscription; the next offset may then jump ahead, never back.
 * - Every publication of a subscribed channel goes to the sink, whichever peer published it, in
 *   offset order within a channel.
 * - `subscribe` is answered before the first delivery behind the position of the answer.
 * - `history` is answered in order with the deliveries: those up to the position of the answer come
 *   before it, later ones after it.
 * - A position that was returned stays valid while its history is kept, subscribed or not.
 * - `publish` is answered before or after its delivery.
 * - A publication with a message id is stored once per (channel, sender, message id). A repetition
 *   within a bounded time is answered with the first position and is not delivered.
 * - A DELIVER has the time at which the offset was assigned. Times do not go back within a channel,
 *   also if the clock does, and a page has the same ones.
 * - An ephemeral publication takes no offset, has no message id, and is in no history. It is
 *   delivered after all publications up to the position of its answer, and before later ones. The
 *   engine keeps no position because of it.
 * - A publication with a key replaces the value of the key, or removes it. Values are not trimmed
 *   with history. One without room is rejected, and takes no offset.
 * - Calls take effect in the order in which they were made.
 */
export interface Engine {
  /** Starts the engine. Called once, before any other method. */
  start(sink: EngineSink): Promise<void>;
  /**
   * Publishes. `frame` is the PUBLISH that the publication was read from; the engine turns it into
   * the DELIVER in place, so the caller must not use it any more. With request 0 `published` is not
   * called.
   */
  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void;
  /**
   * Publishes all PUBLISH frames side by side from `start` to `end`, none of which has a message
   * id. Optional, for engines that answer within the call. They deliver to the slots of the
   * subscribed channels before they return, or to the sink. Throws ProtocolError for an invalid
   * channel name, when all frames before it are published.
   */
  publishRun?(bytes: Uint8Array, start: number, end: number, slot: PublishSlot): void;
  /**
   * Subscribes to a subject without a subscription; its publications are delivered after the
   * answer.
   */
  subscribe(subject: native.Subject, slot: SubscribeSlot): void;
  /** Unsubscribes. Deliveries and answers on their way may still arrive. */
  unsubscribe(subject: native.Subject): void;
  /**
   * Changes the bounds of the history of single channels: `boundsOf` returns those that differ from
   * the engine's own, and undefined for a channel without. The engine asks when a channel begins to
   * have a history, and when only its position is asked for. What existing channels have beyond
   * their new bounds is dropped soon.
   */
  boundHistory(boundsOf: HistoryBoundsOf): void;
  /** Reads one page of a channel. Needs no subscription. */
  history(query: HistoryQuery, slot: HistorySlot, request: number): void;
  /** Closes the engine. Later publications are rejected. */
  close(): Promise<void>;
  stats(): EngineStats;
}

/**
 * Receives the answers to publications. One object serves many requests, without a closure each.
 */
export interface PublishSlot {
  /** Number of the publishing peer: publications without a sender count towards its share. */
  readonly publisher: number;
  published(request: number, position: Position): void;
  publishRejected(request: number, error: ProtocolError): void;
}

/** Receives the one answer to `subscribe`, and the runs of the channel afterwards. */
export interface SubscribeSlot {
  /** Later publications have higher offsets. A prefix has no position: see NO_POSITION. */
  subscribed(position: Position): void;
  /** There is no subscription. */
  subscribeRejected(error: ProtocolError): void;
  /**
   * Delivers `count` DELIVER frames of the channel, side by side from `start` to `end`, the last
   * one at `offset`. Called within `publishRun` only. The bytes are read-only from here on.
   */
  deliverRun(offset: number, bytes: Uint8Array, start: number, end: number, count: number): void;
}

/** Receives one answer for each `history` request. One object serves many requests. */
export interface HistorySlot {
  historyPage(request: number, page: HistoryPage): void;
  historyRejected(request: number, error: ProtocolError): void;
}

/**
 * One page to read, with the fields of a HISTORY: the publications after `since`, or with `last`
 * the newest ones, or with `snapshot` the values of the keys if those publications are gone.
 */
export type HistoryQuery = Omit<native.HistoryToEncode, 'request'>;

/** The first publications that a query asks for. */
export interface HistoryPage {
  /** Only a recovered page and a snapshot have frames. */
  readonly verdict: native.HistoryVerdict;
  /** The current position of the channel. */
  readonly position: Position;
  /** The epoch of `position`, compared with that of the request. */
  readonly epochIs: native.EpochComparison;
  /** Whether more frames follow behind these. */
  readonly more: boolean;
  /**
   * DELIVER frames, read-only: up to 64 KiB, at least one if any exists. Those of a recovered page
   * are contiguous; unless the last one is at `position`, there are more.
   */
  readonly frames: readonly Uint8Array[];
}

/** Bounds of the history of one channel. What is not given is that of the engine. */
export interface HistoryBounds {
  /** Publications. */
  readonly countMax?: number | undefined;
  /** Milliseconds after which a publication expires. */
  readonly ageMs?: number | undefined;
  /** Bytes of the frames. */
  readonly bytesMax?: number | undefined;
}

/** Returns the bounds of a channel, the same object for all channels with the same bounds. */
export type HistoryBoundsOf = (channel: string) => HistoryBounds | undefined;

/** Receives deliveries. */
export interface EngineSink {
  /** Delivers one publication. `frame` is the whole DELIVER, read-only from here on. */
  deliver(channel: string, offset: number, frame: Uint8Array): void;
  /** Delivers one ephemeral publication, whose number is the offset of the last `deliver`. */
  deliverEphemeral(channel: string, frame: Uint8Array): void;
}

/**
 * The limit for which history drops publications: per channel by count, age or bytes, or in total.
 */
export type TrimReason = 'count' | 'age' | 'bytes' | 'total';

/** Gauges, and counters since the start. */
export interface EngineStats {
  /** Channels that take memory beyond a position. */
  readonly channels: number;
  /** Subscribed prefixes. */
  readonly prefixes: number;
  readonly history: HistoryStats;
  readonly keyed: KeyedStats;
}

/** Gauges and counters of the values of keyed channels. */
export interface KeyedStats {
  /** Keys with a value, of all channels. */
  readonly keys: number;
  /** Bytes of these values, with an estimate of the overhead of each. */
  readonly bytes: number;
  /** Publications rejected because their value had no room. */
  readonly rejected: number;
  /** Values that expired. */
  readonly expired: number;
}

/** Gauges and counters of the history of an engine. */
export interface HistoryStats {
  /** Publications kept. */
  readonly publications: number;
  /** Bytes of history, with an estimate of the overhead of each channel and block. */
  readonly bytes: number;
  /** Bytes of the memory from which blocks are cut, in use or not. */
  readonly slabBytes: number;
  /** Publications dropped, by the limit that they exceeded. */
  readonly trimmed: Readonly<Record<TrimReason, number>>;
  /** Channels that lost all their publications to the total limit. */
  readonly channelsDropped: number;
  /** Channels without publications and subscriptions whose position was returned recently. */
  readonly positions: number;
  /** Positions forgotten early because of their limit. */
  readonly positionsDropped: number;
  /** Answers to `history`, by verdict. */
  readonly reads: Readonly<Record<native.HistoryVerdict, number>>;
  /** Message ids kept to recognize repetitions. */
  readonly messageIds: number;
  /** Message ids forgotten early because of their limit. */
  readonly messageIdsDropped: number;
  /** Repetitions answered without being stored again. */
  readonly duplicates: number;
}

/** The position of a prefix. */
export const NO_POSITION: Position = { epoch: '', offset: 0 };
