import { limits, native, ProtocolError } from '@groupcast/protocol';
import type { Consumer, ConsumerOptions, ItemReceiver } from './consumer.ts';
import type { ItemDelivery, ItemKind } from './queue-item.ts';
import type { WorkQueues } from './work-queues.ts';

/** What a peer asks for of queues, in whatever dialect. Each throws ProtocolError when the session may make no requests. */
export interface QueueRequests {
  /** Answers why the item is refused, if it is. */
  enqueue(queue: string, kind: ItemKind, payload: Uint8Array): ProtocolError | undefined;
  /** The session's only consumer: `taker` and `options` are those of the first call. It leaves with the session. */
  consumer(taker: ItemReceiver, options?: ConsumerOptions): Consumer;
  /** An item to the peer, as a frame; false where that is too long: then the item has failed. `key`: what it can be recalled by. */
  sendItem(item: ItemDelivery, frame: Uint8Array, key?: string): boolean;
}

/** What a QueuePeer needs of its session. */
export interface QueuePeerSession {
  /** Throws ProtocolError when the session may make no requests. */
  mustBeOpen(): void;
  /** An item came from the peer. */
  receivedItem(): void;
  /** An item goes to the peer. */
  sendItem(frame: Uint8Array, key: string | undefined): void;
}

/** The part of a session that has to do with queues. */
export class QueuePeer implements QueueRequests {
  readonly #queues: WorkQueues;
  readonly #session: QueuePeerSession;
  readonly #frameBytesMax: number;
  #consumer: Consumer | undefined;
  #hasLeft = false;

  /** `frameBytesMax`: the longest frame that peers are told to expect, in bytes. */
  constructor(queues: WorkQueues, session: QueuePeerSession, frameBytesMax: number) {
    this.#queues = queues;
    this.#session = session;
    this.#frameBytesMax = frameBytesMax;
  }

  enqueue(queue: string, kind: ItemKind, payload: Uint8Array): ProtocolError | undefined {
    this.#session.mustBeOpen();
    this.#session.receivedItem();
    return this.#tooLong(queue, payload) ?? this.#queues.enqueue(queue, kind, payload);
  }

  consumer(taker: ItemReceiver, options: ConsumerOptions = {}): Consumer {
    this.#session.mustBeOpen();
    if (this.#consumer !== undefined) return this.#consumer;
    this.#consumer = this.#queues.addConsumer(taker, options);
    // The session has just ended, and nobody would ever make this one leave.
    if (this.#hasLeft) this.#consumer.close();
    return this.#consumer;
  }

  sendItem({ queue, id, attempt }: ItemDelivery, frame: Uint8Array, key?: string): boolean {
    if (frame.length <= this.#frameBytesMax) {
      this.#session.sendItem(frame, key);
      return true;
    }
    // It fitted a frame as its producer wrote it. In the end it is in the dead-letter queue, for consumers of another dialect.
    this.#consumer?.failed(queue, id, attempt);
    return false;
  }

  /** The session has ended: what it has in lease is handed to others. */
  close(): void {
    this.#hasLeft = true;
    this.#consumer?.close();
  }

  /** An item must fit a frame wherever it is handed out, from the dead-letter queue too. */
  #tooLong(queue: string, payload: Uint8Array): ProtocolError | undefined {
    const names = limits.DEAD_QUEUE_PREFIX.length + Buffer.byteLength(queue);
    const bytes = native.ITEM_HEADER_BYTES + names + payload.length;
    if (bytes <= this.#frameBytesMax) return undefined;
    const sentence = `The item would make a frame of ${bytes} bytes; ${this.#frameBytesMax} are taken.`;
    return new ProtocolError('bad_length', sentence);
  }
}
