import { ProtocolError } from '@groupcast/protocol';
import { callUser } from '../connection/call-user.ts';
import type { PendingRequest, Requests } from '../connection/requests.ts';
import { unsupported } from '../connection/unsupported.ts';
import { type BufferedRequest, type HubAnswer, Outbox } from './outbox.ts';

export interface RequestSenderOptions {
  readonly publishMs: number;
  readonly bufferBytesMax: number;
  readonly bufferMs: number;
  readonly unansweredMax: number;
}

export interface RequestSenderStats {
  /** Publishes sent to the hub. */
  readonly published: number;
  /** Publishes that were never sent, with or without an answer object. */
  readonly rejected: number;
  /** Bytes of publishes that are buffered until the client is connected. */
  readonly bufferedBytes: number;
  /** Publishes that the hub has not answered yet. */
  readonly unanswered: number;
}

/**
 * Sends publishes, or items for queues. Buffers them while the client is not connected, limited in
 * time and bytes. Each one with an answer object gets exactly one outcome.
 */
export class RequestSender<Outcome> {
  readonly #options: RequestSenderOptions;
  readonly #requests: Requests;
  readonly #outbox: Outbox<Outcome>;
  readonly #advice: string;
  #frameBytesMax: number;
  #sent = 0;
  #rejected = 0;
  #unanswered = 0;

  /**
   * `frameBytesMax` is the limit until a hub has told its own. `advice` is a sentence that says
   * what to do when the outcome is unknown.
   */
  constructor(options: RequestSenderOptions, requests: Requests, frameBytesMax: number, advice: string) {
    this.#options = options;
    this.#requests = requests;
    this.#outbox = new Outbox(options.bufferBytesMax);
    this.#frameBytesMax = frameBytesMax;
    this.#advice = advice;
  }

  /** Requests that the hub has not answered yet. */
  get unanswered(): number {
    return this.#unanswered;
  }

  stats(): RequestSenderStats {
    return {
      published: this.#sent,
      rejected: this.#rejected,
      bufferedBytes: this.#outbox.bytes,
      unanswered: this.#unanswered,
    };
  }

  /**
   * Sends or buffers a frame. `frame` is an error where the request could not be encoded. `needs`
   * has the bits of `native.CAPABILITIES` without which the hub must not get it.
   */
  send(
    frame: Uint8Array | ProtocolError,
    number: number,
    answer: HubAnswer<Outcome> | undefined,
    needs = 0,
  ): void {
    if (frame instanceof ProtocolError) this.reject(answer, frame);
    else if (this.#isTooLong(frame)) this.reject(answer, this.#tooLong(frame));
    else if (!this.#requests.isOpen) this.#buffer(frame, number, answer, needs);
    else if (!this.#requests.hasCapability(needs)) this.reject(answer, unsupported());
    else if (this.#isBusy()) this.reject(answer, new ProtocolError('hub_unavailable', BUSY));
    else this.#sendNow(frame, number, answer);
  }

  /** Fails a request that is not sent. */
  reject(answer: HubAnswer<Outcome> | undefined, error: ProtocolError): void {
    this.#rejected += 1;
    if (answer !== undefined) callUser(answer, fail, error);
  }

  /**
   * Sends the buffered requests to a hub that accepts frames of up to `frameBytesMax` bytes.
   * Returns those that are longer, or that the hub does not support.
   */
  resume(frameBytesMax: number): readonly BufferedRequest<Outcome>[] {
    this.#frameBytesMax = frameBytesMax;
    const unsent: BufferedRequest<Outcome>[] = [];
    for (const request of this.#outbox.takeAll()) {
      if (this.#isTooLong(request.frame) || !this.#requests.hasCapability(request.needs))
        unsent.push(request);
      else this.#sendNow(request.frame, request.number, request.answer);
    }
    return unsent;
  }

  /** Fails the requests that `resume` did not send. */
  rejectUnsent(requests: readonly BufferedRequest<Outcome>[]): void {
    for (const { frame, answer } of requests)
      this.reject(answer, this.#isTooLong(frame) ? this.#tooLong(frame) : unsupported());
  }

  /** Handles that the hub accepted a request. Late answers are ignored. */
  accepted(number: number, outcome: Outcome): void {
    const request = this.#requests.find(number);
    if (!(request instanceof SentRequest) || request.sender !== this) return;
    this.#requests.delete(number);
    this.#unanswered -= 1;
    callUser<HubAnswer<Outcome>, Outcome>(request.answer, accept, outcome);
  }

  /** Fails a request that was sent. */
  fail(answer: HubAnswer<Outcome>, error: ProtocolError): void {
    this.#unanswered -= 1;
    callUser(answer, fail, error);
  }

  /** Fails a request that was sent and will not be answered. `why` is a sentence. */
  failUnanswered(answer: HubAnswer<Outcome>, why: string): void {
    const { lastError } = this.#requests;
    const message = `${why} ${this.#advice}`;
    this.fail(answer, new ProtocolError('outcome_unknown', message, lastError && { cause: lastError }));
  }

  /** Fails requests that are buffered for too long. */
  expire(nowMs: number): void {
    for (const { answer } of this.#outbox.takeExpired(nowMs)) {
      this.reject(answer, this.#unavailable());
    }
  }

  /** Fails all buffered requests. */
  rejectBuffered(error: ProtocolError): void {
    for (const { answer } of this.#outbox.takeAll()) this.reject(answer, error);
  }

  /** Whether the hub does not keep up. Failing is better than filling the link until it breaks. */
  #isBusy(): boolean {
    const { bufferBytesMax, unansweredMax } = this.#options;
    // The new request does not count: one above the limit could never be sent otherwise.
    return this.#requests.bufferedBytes > bufferBytesMax || this.#unanswered >= unansweredMax;
  }

  #sendNow(frame: Uint8Array, number: number, answer: HubAnswer<Outcome> | undefined): void {
    this.#sent += 1;
    if (answer !== undefined) {
      this.#unanswered += 1;
      const deadlineMs = performance.now() + this.#options.publishMs;
      this.#requests.add(number, new SentRequest(this, answer, deadlineMs));
    }
    this.#requests.send(frame);
  }

  #buffer(frame: Uint8Array, number: number, answer: HubAnswer<Outcome> | undefined, needs: number): void {
    const deadlineMs = performance.now() + this.#options.bufferMs;
    if (this.#outbox.add({ frame, number, answer, needs, deadlineMs })) return;
    this.reject(answer, this.#unavailable(FULL));
  }

  #unavailable(sentence?: string): ProtocolError {
    const { lastError } = this.#requests;
    return new ProtocolError('hub_unavailable', sentence, lastError && { cause: lastError });
  }

  #isTooLong(frame: Uint8Array): boolean {
    return frame.length > this.#frameBytesMax;
  }

  #tooLong(frame: Uint8Array): ProtocolError {
    return new ProtocolError(
      'bad_length',
      `The message makes a frame of ${frame.length} bytes; the hub accepts ${this.#frameBytesMax}. Send less at once.`,
    );
  }
}

class SentRequest<Outcome> implements PendingRequest {
  readonly sender: RequestSender<Outcome>;
  readonly answer: HubAnswer<Outcome>;
  readonly deadlineMs: number;

  constructor(sender: RequestSender<Outcome>, answer: HubAnswer<Outcome>, deadlineMs: number) {
    this.sender = sender;
    this.answer = answer;
    this.deadlineMs = deadlineMs;
  }

  rejected(error: ProtocolError): void {
    this.sender.fail(this.answer, error);
  }

  unanswered(why: string): void {
    this.sender.failUnanswered(this.answer, why);
  }
}

function accept<Outcome>(answer: HubAnswer<Outcome>, outcome: Outcome): void {
  answer.accepted(outcome);
}

function fail(answer: HubAnswer<never>, error: ProtocolError): void {
  answer.failed(error);
}

const FULL = 'The hub is disconnected and the publish buffer is full. Retry later.';
const BUSY = 'The hub does not keep up and the publish buffer is full. Retry later.';
