import type { native } from '@groupcast/protocol';
import { ITEM_OVERHEAD_BYTES } from './queue-limits.ts';
import type { Watch } from './watch.ts';

/** What the bytes of an item are: as in a payload, or a serialized PHP value, which only a dialect for PHP sends as it is. */
export type ItemKind = native.PayloadKind | 'php';

/** An item as its consumer gets it. What ends the lease names queue, id and attempt. */
export interface ItemDelivery {
  readonly queue: string;
  readonly id: number;
  /** 1 the first time. */
  readonly attempt: number;
  readonly kind: ItemKind;
  readonly payload: Uint8Array;
}

/** Where an item is: `waiting` in the order of its queue, `leased` to a consumer, or out of the queue. */
export type ItemState = 'waiting' | 'leased' | 'gone';

/** One piece of work in a queue. */
export class WorkItem {
  readonly id: number;
  /** Tells the order of a queue. It is the id, as ids grow, until the item is put to the end. */
  rank: number;
  readonly kind: ItemKind;
  readonly payload: Uint8Array;
  /** What it counts for. */
  readonly bytes: number;
  readonly enqueuedAtMs: number;
  state: ItemState = 'waiting';
  /** How often it was handed out, and left. */
  attempt = 0;
  /** To whom it was handed out last; nobody, if that was withdrawn. */
  watch: Watch | undefined;
  /** When the lease ends. */
  deadlineMs = 0;

  constructor(id: number, kind: ItemKind, payload: Uint8Array, enqueuedAtMs: number) {
    this.id = id;
    this.rank = id;
    this.kind = kind;
    this.payload = payload;
    this.bytes = payload.length + ITEM_OVERHEAD_BYTES;
    this.enqueuedAtMs = enqueuedAtMs;
  }
}
