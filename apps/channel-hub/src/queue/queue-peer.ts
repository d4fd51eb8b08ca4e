import { limits, native, ProtocolError } from '@groupcast/protocol';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import type { ItemDelivery, ItemKind, ItemReceiver } from './work-queue.ts';
import type { WorkQueues } from './work-queues.ts';

/** The peer, as far as its queue requests need it. */
export interface QueuePeerPort {
  /** `key` recalls the frame while it has not left. */
  readonly output: { sendToOne(frame: Uint8Array, key?: string): void };
  /** Throws ProtocolError unless the peer may make requests. */
  ensureOpen(): void;
  /** Counts an item from the peer. */
  countReceived(): void;
}

/** Queue requests of one peer, in any dialect. Each throws ProtocolError if not allowed. */
export class QueuePeer {
  readonly #queues: WorkQueues;
  readonly #peer: QueuePeerPort;
  readonly #frameBytesMax: number;
  #consumer: Consumer | undefined;
  #isClosed = false;

  /** `frameBytesMax`: limit of a frame, as announced to peers. */
  constructor(queues: WorkQueues, peer: QueuePeerPort, frameBytesMax: number) {
    this.#queues = queues;
    this.#peer = peer;
    this.#frameBytesMax = frameBytesMax;
  }

  /** Returns the error if the item is rejected. */
  enqueue(queue: string, kind: ItemKind, payload: Uint8Array, messageId: string): ProtocolError | undefined {
    this.#peer.ensureOpen();
    this.#peer.countReceived();
    const error = this.#lengthError(queue, payload, messageId);
    return error ?? this.#queues.enqueue(queue, kind, payload, messageId);
  }

  /** Returns the peer's only consumer, with the receiver and the options of the first call. */
  consumer(receiver: ItemReceiver, options: ConsumerOptions = {}): Consumer {
    this.#peer.ensureOpen();
    if (this.#consumer !== undefined) return this.#consumer;
    this.#consumer = this.#queues.addConsumer(receiver, options);
    // The peer has just closed, and nothing else would ever close this consumer.
    if (this.#isClosed) this.#consumer.close();
    return this.#consumer;
  }

  /** Sends an item as a frame. Returns false, and the item has failed, if the frame is too long. */
  sendItem({ queue, id, attempt }: ItemDelivery, frame: Uint8Array, key?: string): boolean {
    if (frame.length <= this.#frameBytesMax) {
      this.#peer.output.sendToOne(frame, key);
      return true;
    }
    // It fitted a frame in its producer's dialect, and can be read as a dead letter in that one.
    this.#consumer?.failed(queue, id, attempt);
    return false;
  }

  /** Returns all items that the peer has in lease to their queues. */
  close(): void {
    this.#isClosed = true;
    this.#consumer?.close();
  }

  /** Returns an error if the item's frame would be too long, from the dead-letter queue too. */
  #lengthError(queue: string, payload: Uint8Array, messageId: string): ProtocolError | undefined {
    const texts = Buffer.byteLength(queue) + Buffer.byteLength(messageId);
    const names = limits.DEAD_QUEUE_PREFIX.length + texts;
    const bytes = native.ITEM_HEADER_BYTES + names + payload.length;
    if (bytes <= this.#frameBytesMax) return undefined;
    const sentence = `The item needs a frame of ${bytes} bytes; the limit is ${this.#frameBytesMax}. Send a smaller item.`;
    return new ProtocolError('bad_length', sentence);
  }
}
