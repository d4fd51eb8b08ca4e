import { isQueueName, native, ProtocolError } from '@groupcast/protocol';
import type { Uplink } from '../connection/uplink.ts';
import type { BufferedRequest, HubAnswer } from '../publishing/outbox.ts';
import { defaultKind, payloadFault } from '../publishing/publish-frame.ts';
import { RequestSender, type RequestSenderOptions } from '../publishing/request-sender.ts';
import type { QueueHandler, QueueWatcher, WatchOptions } from './queue-watch.ts';
import { QueueWatches, type QueueWatchesEvents } from './queue-watches.ts';

export interface EnqueueOptions {
  /** Default: `text` for a string, `bytes` for bytes. */
  readonly kind?: native.PayloadKind | undefined;
}

/** All that a client has to do with queues. */
export class Queues {
  readonly #uplink: Uplink;
  readonly #enqueues: RequestSender<void>;
  readonly #watches: QueueWatches;
  #tooLong: readonly BufferedRequest<void>[] = [];

  constructor(
    options: RequestSenderOptions,
    uplink: Uplink,
    frameBytesMax: number,
    events: QueueWatchesEvents,
  ) {
    this.#uplink = uplink;
    this.#enqueues = new RequestSender(options, uplink, frameBytesMax, SEND_AGAIN);
    this.#watches = new QueueWatches(uplink, events);
  }

  /** Items that the hub has not answered yet. */
  get unanswered(): number {
    return this.#enqueues.unanswered;
  }

  enqueue(
    queue: string,
    payload: string | Uint8Array,
    options: EnqueueOptions,
    answer: HubAnswer<void>,
  ): void {
    const request = this.#uplink.nextRequest();
    const kind = options.kind ?? defaultKind(payload);
    const fault = isQueueName(queue) ? payloadFault(kind, payload) : new ProtocolError('bad_queue');
    this.#enqueues.send(fault ?? native.encodeEnqueue({ request, queue, kind, payload }), request, answer);
  }

  watch(queue: string, handler: QueueHandler, options: WatchOptions): QueueWatcher {
    return this.#watches.add(queue, handler, options);
  }

  /** A link stands to a hub that takes frames so long. What it would not take waits for `refuseTooLong`. */
  resume(frameBytesMax: number): void {
    this.#watches.resume();
    this.#tooLong = this.#enqueues.resume(frameBytesMax);
  }

  refuseTooLong(): void {
    const tooLong = this.#tooLong;
    this.#tooLong = [];
    this.#enqueues.refuseTooLong(tooLong);
  }

  /** The link is gone. */
  suspend(): void {
    this.#watches.suspend();
  }

  enqueued(request: number): void {
    this.#enqueues.accepted(request, undefined);
  }

  receiveItem(item: native.Item): void {
    this.#watches.take(item);
  }

  /** The hub has refused a request. Whether it was one of these. */
  refused(request: number, error: ProtocolError): boolean {
    return this.#enqueues.failed(request, error) || this.#watches.refuse(request, error);
  }

  /** To be called every second or so. */
  sweep(nowMs: number): void {
    this.#watches.retry();
    this.#enqueues.expire(nowMs);
  }

  /** What was sent will not be answered any more. `why` is a sentence. */
  failUnanswered(why: string): void {
    this.#enqueues.failUnanswered(why);
  }

  /** Watches nothing any more, and sends nothing that is held. */
  close(error: ProtocolError): void {
    this.#watches.clear();
    this.#enqueues.refuseHeld(error);
  }

  refuse(answer: HubAnswer<void>, error: ProtocolError): void {
    this.#enqueues.refuse(answer, error);
  }
}

const SEND_AGAIN = 'Send it again: the queue may have it twice then.';
