import { isQueueName, native, ProtocolError } from '@groupcast/protocol';
import type { Requests } from '../connection/requests.ts';
import type { BufferedRequest, HubAnswer } from '../publishing/outbox.ts';
import { defaultKind, payloadFault, shortTextFault } from '../publishing/publish-frame.ts';
import { RequestSender, type RequestSenderOptions } from '../publishing/request-sender.ts';
import {
  type QueueHandler,
  type QueueWatcher,
  QueueWatches,
  type QueueWatchesEvents,
  type WatchOptions,
} from './queue-watches.ts';

export interface EnqueueOptions {
  /** Default: `text` for a string, `bytes` for bytes. */
  readonly kind?: native.PayloadKind | undefined;
  /** Identifies repetitions of this item in its queue, at most 255 bytes. Default: none. */
  readonly messageId?: string | undefined;
}

/** The client's side of work queues: items that it enqueues, and queues that it watches. */
export class QueueClient {
  readonly #requests: Requests;
  readonly #enqueues: RequestSender<void>;
  readonly #watches: QueueWatches;
  #unsent: readonly BufferedRequest<void>[] = [];

  constructor(
    options: RequestSenderOptions,
    requests: Requests,
    frameBytesMax: number,
    events: QueueWatchesEvents,
  ) {
    this.#requests = requests;
    this.#enqueues = new RequestSender(options, requests, frameBytesMax, SEND_AGAIN);
    this.#watches = new QueueWatches(requests, events);
  }

  /** Number of items that the hub has not acknowledged yet. */
  get unanswered(): number {
    return this.#enqueues.unanswered;
  }

  enqueue(
    queue: string,
    payload: string | Uint8Array,
    options: EnqueueOptions,
    answer: HubAnswer<void>,
  ): void {
    const request = this.#requests.nextNumber();
    this.#enqueues.send(enqueueFrame(queue, payload, options, request), request, answer);
  }

  watch(queue: string, handler: QueueHandler, options: WatchOptions): QueueWatcher {
    return this.#watches.add(queue, handler, options);
  }

  /** Sends buffered requests on a new link. Those that are too long are left to `rejectUnsent`. */
  resume(frameBytesMax: number): void {
    this.#watches.resume();
    this.#unsent = this.#enqueues.resume(frameBytesMax);
  }

  rejectUnsent(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    this.#enqueues.rejectUnsent(unsent);
  }

  /** Forgets the link, which broke. */
  suspend(): void {
    this.#watches.suspend();
  }

  enqueued(request: number): void {
    this.#enqueues.accepted(request, undefined);
  }

  deliver(item: native.Item): void {
    this.#watches.deliver(item);
  }

  /** Retries and expires requests. The owner calls it about every second. */
  sweep(nowMs: number): void {
    this.#watches.retry();
    this.#enqueues.expire(nowMs);
  }

  /** Ends all watches and fails the buffered requests. */
  close(error: ProtocolError): void {
    this.#watches.clear();
    this.#enqueues.rejectBuffered(error);
  }

  reject(answer: HubAnswer<void>, error: ProtocolError): void {
    this.#enqueues.reject(answer, error);
  }
}

function enqueueFrame(
  queue: string,
  payload: string | Uint8Array,
  { kind = defaultKind(payload), messageId = '' }: EnqueueOptions,
  request: number,
): Uint8Array | ProtocolError {
  if (!isQueueName(queue)) return new ProtocolError('bad_queue');
  const fault = payloadFault(kind, payload) ?? shortTextFault('messageId', messageId);
  return fault ?? native.encodeEnqueue({ request, queue, kind, messageId, payload });
}

const SEND_AGAIN = 'When it is sent again, the queue may have it twice, unless it has a messageId.';
