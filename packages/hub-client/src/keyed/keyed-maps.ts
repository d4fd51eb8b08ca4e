import type { native, Position } from '@groupcast/protocol';
import type { HistoryAnswer, HistoryRead } from '../history/history-page.ts';
import type { HistoryReads } from '../history/history-reads.ts';
import type { PublishOptions } from '../publishing/publish-frame.ts';
import type { Subscriptions } from '../subscriptions/subscriptions.ts';
import { KeyedMap, type KeyedMapDeps } from './keyed-map.ts';

/** A position without history, in place of which a reader gets a snapshot. */
const NOWHERE: Position = { epoch: '', offset: 0 };

/** The keyed maps of a client that are not closed. */
export class KeyedMaps {
  readonly #maps = new Set<KeyedMap>();
  readonly #deps: KeyedMapDeps;

  constructor(
    subscriptions: Subscriptions,
    reads: HistoryReads,
    publish: (channel: string, payload: string | Uint8Array, options: PublishOptions) => Promise<Position>,
  ) {
    this.#deps = {
      subscribe: (channel, subscriber) => subscriptions.add({ name: channel, prefix: false }, subscriber),
      unsubscribe: (channel, subscriber) =>
        subscriptions.remove({ name: channel, prefix: false }, subscriber),
      readSnapshot: (channel, afterKey, answer, owner) =>
        reads.add({ channel, since: NOWHERE, snapshot: true, afterKey }, answer, 'resend', owner),
      publish,
      closed: (map) => this.#maps.delete(map),
    };
  }

  /** Throws a ProtocolError `bad_channel` for an invalid name. */
  open(channel: string): KeyedMap {
    const map = new KeyedMap(channel, this.#deps);
    this.#maps.add(map);
    return map;
  }

  /** Reads a page of values without a map, in turn with the reads of other owners. */
  read(
    channel: string,
    afterKey: string,
    answer: HistoryAnswer<native.HistoryVerdict>,
    owner: object,
  ): HistoryRead {
    return this.#deps.readSnapshot(channel, afterKey, answer, owner);
  }

  /** Retries loads that have failed. */
  retry(): void {
    for (const map of this.#maps) map.retry();
  }

  closeAll(): void {
    for (const map of this.#maps) map.close();
  }
}
