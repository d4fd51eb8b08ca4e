import { ProtocolError } from '@groupcast/protocol';
import { callUser } from '../connection/call-user.ts';
import type { Uplink } from '../connection/uplink.ts';
import { type BufferedRequest, type HubAnswer, Outbox } from './outbox.ts';
import { PendingAnswers } from './pending-answers.ts';

export interface RequestSenderOptions {
  readonly publishMs: number;
  readonly bufferBytesMax: number;
  readonly bufferMs: number;
  readonly unansweredMax: number;
}

export interface RequestSenderStats {
  /** Publishes handed to the hub. */
  readonly published: number;
  /** Publishes that were never sent, whether or not somebody waited for their answer. */
  readonly refused: number;
  /** Publishes that wait for the hub to come back, in bytes. */
  readonly bufferedBytes: number;
  /** Publishes that the hub has not answered yet. */
  readonly unanswered: number;
}

/**
 * What this client publishes, or puts into queues: held while the hub is away, for a bounded time and in bounded number, and never
 * left in silence.
 */
export class RequestSender<Outcome> {
  readonly #options: RequestSenderOptions;
  readonly #uplink: Uplink;
  readonly #outbox: Outbox<Outcome>;
  readonly #answers = new PendingAnswers<Outcome>();
  readonly #sendAgain: string;
  #frameBytesMax: number;
  #published = 0;
  #refused = 0;

  /**
   * `frameBytesMax` holds until a hub has said what it takes; `sendAgain` is a sentence that says what to do when an outcome is unknown.
   */
  constructor(options: RequestSenderOptions, uplink: Uplink, frameBytesMax: number, sendAgain: string) {
    this.#options = options;
    this.#uplink = uplink;
    this.#outbox = new Outbox(options.bufferBytesMax);
    this.#frameBytesMax = frameBytesMax;
    this.#sendAgain = sendAgain;
  }

  /** Publishes that the hub has not answered yet. */
  get unanswered(): number {
    return this.#answers.size;
  }

  stats(): RequestSenderStats {
    return {
      published: this.#published,
      refused: this.#refused,
      bufferedBytes: this.#outbox.bytes,
      unanswered: this.#answers.size,
    };
  }

  /** Sends a frame, or refuses what could be made none. */
  send(frame: Uint8Array | ProtocolError, request: number, answer: HubAnswer<Outcome> | undefined): void {
    if (frame instanceof ProtocolError) this.refuse(answer, frame);
    else if (this.#isTooLong(frame)) this.refuse(answer, this.#tooLong(frame));
    else if (this.#uplink.isOpen) this.#sendNow(frame, request, answer);
    else this.#hold(frame, request, answer);
  }

  refuse(answer: HubAnswer<Outcome> | undefined, error: ProtocolError): void {
    this.#refused += 1;
    if (answer !== undefined) callUser(answer, fail, error);
  }

  /** A hub is there that takes frames so long: what was held for it leaves. Answers with what it would not take. */
  resume(frameBytesMax: number): readonly BufferedRequest<Outcome>[] {
    this.#frameBytesMax = frameBytesMax;
    const tooLong: BufferedRequest<Outcome>[] = [];
    for (const held of this.#outbox.takeAll()) {
      if (this.#isTooLong(held.frame)) tooLong.push(held);
      else this.#send(held.frame, held.request, held.answer);
    }
    return tooLong;
  }

  refuseTooLong(publishes: readonly BufferedRequest<Outcome>[]): void {
    for (const { frame, answer } of publishes) this.refuse(answer, this.#tooLong(frame));
  }

  /** The hub has answered a publish; late answers are nobody's. */
  accepted(request: number, outcome: Outcome): void {
    const answer = this.#answers.take(request);
    if (answer !== undefined) callUser(answer, succeed, outcome);
  }

  /** The hub has refused a request. Whether it was a publish. */
  failed(request: number, error: ProtocolError): boolean {
    const answer = this.#answers.take(request);
    if (answer === undefined) return false;
    callUser(answer, fail, error);
    return true;
  }

  /** Fails what has waited too long. */
  expire(nowMs: number): void {
    for (const { answer } of this.#outbox.takeExpired(nowMs)) {
      this.refuse(answer, this.#unavailable());
    }
    for (const answer of this.#answers.takeExpired(nowMs)) {
      callUser(answer, fail, this.#unknownOutcome('The hub did not answer in time.'));
    }
  }

  /** What was sent will not be answered any more. `why` is a sentence. */
  failUnanswered(why: string): void {
    for (const answer of this.#answers.takeAll()) callUser(answer, fail, this.#unknownOutcome(why));
  }

  /** What was held will not be sent any more. */
  refuseHeld(error: ProtocolError): void {
    for (const { answer } of this.#outbox.takeAll()) this.refuse(answer, error);
  }

  /** The hub may be there and yet not keep up: then it is better to say so than to fill the link until it breaks. */
  #sendNow(frame: Uint8Array, request: number, answer: HubAnswer<Outcome> | undefined): void {
    const { bufferBytesMax, unansweredMax } = this.#options;
    // Only what waits already counts: a message that is longer than the buffer could never leave.
    if (this.#uplink.bufferedBytes > bufferBytesMax || this.#answers.size >= unansweredMax) {
      this.refuse(answer, new ProtocolError('hub_unavailable', BUSY));
    } else {
      this.#send(frame, request, answer);
    }
  }

  #send(frame: Uint8Array, request: number, answer: HubAnswer<Outcome> | undefined): void {
    this.#published += 1;
    if (answer !== undefined) this.#answers.add(request, answer, performance.now() + this.#options.publishMs);
    this.#uplink.send(frame);
  }

  #hold(frame: Uint8Array, request: number, answer: HubAnswer<Outcome> | undefined): void {
    const deadlineMs = performance.now() + this.#options.bufferMs;
    if (this.#outbox.add({ frame, request, answer, deadlineMs })) return;
    this.refuse(answer, this.#unavailable(AWAY));
  }

  #unknownOutcome(why: string): ProtocolError {
    const { lastError } = this.#uplink;
    return new ProtocolError(
      'outcome_unknown',
      `${why} ${this.#sendAgain}`,
      lastError && { cause: lastError },
    );
  }

  #unavailable(sentence?: string): ProtocolError {
    const { lastError } = this.#uplink;
    return new ProtocolError('hub_unavailable', sentence, lastError && { cause: lastError });
  }

  #isTooLong(frame: Uint8Array): boolean {
    return frame.length > this.#frameBytesMax;
  }

  #tooLong(frame: Uint8Array): ProtocolError {
    return new ProtocolError(
      'bad_length',
      `The message makes a frame of ${frame.length} bytes; the hub takes ${this.#frameBytesMax}. Send less at once.`,
    );
  }
}

function succeed<Outcome>(answer: HubAnswer<Outcome>, outcome: Outcome): void {
  answer.accepted(outcome);
}

function fail(answer: HubAnswer<never>, error: ProtocolError): void {
  answer.failed(error);
}

const AWAY = 'The hub is disconnected and the publish buffer is full. Retry later.';
const BUSY = 'The hub does not keep up and the publish buffer is full. Retry later.';
