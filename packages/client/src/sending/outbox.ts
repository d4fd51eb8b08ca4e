import {
  type AckEvent,
  type JsonValue,
  type Position,
  reconnectDelayMs,
  type WelcomeEvent,
} from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import { GroupcastError } from '../groupcast-error.ts';
import { type CallOptions, openCall } from '../groups/call.ts';
import { PUBLISH_RETRY_BOUNDS } from '../limits.ts';
import type { GroupcastClientOptions } from '../options.ts';
import { type History, type HistoryOptions, historyCommand, historyOf } from './history.ts';
import { type BanOptions, type ModerationCommand, moderationCommand } from './moderation.ts';
import { publishCommand, type SendOptions } from './publish-command.ts';
import { type Answer, commandBytes, type GroupCommandBody } from './requests.ts';
import { type Queued, SendQueue } from './send-queue.ts';

/** Codes of rejections after which a message may have been published. */
const UNCERTAIN: readonly string[] = ['outcome_unknown', 'internal_error', 'bad_event'];

export interface OutboxOwner {
  /** Throws the reason when the client is closed. */
  assertOpen(): void;
  /** The limits of the gateway. */
  readonly limits: WelcomeEvent['limits'];
  /** Returns whether the limits of the gateway allow one more command. */
  mayRequest(nowMs: number): boolean;
  /** Sends a command now. */
  sendNow(command: GroupCommandBody, bytes: number, answered: Answer): void;
  /** Sends what may be sent. */
  pump(): void;
  /** Handles an own message that the gateway does not deliver to this client. */
  skipped(groupId: string, position: Position): void;
}

/** The unanswered messages and requests of a client, over all its connections. */
export class Outbox {
  readonly #owner: OutboxOwner;
  readonly #timeoutMs: number;
  readonly #messages: SendQueue;
  /** Commands that may be repeated: reads of history, and those of a moderator. */
  readonly #requests: SendQueue;
  /** 128 random bits: message ids stay unique over restarts and page loads. */
  readonly #idPrefix: string = crypto.getRandomValues(new Uint32Array(4)).join('-');
  #calls = 0;
  #lastRejection: GroupcastError | undefined;

  constructor(options: GroupcastClientOptions, owner: OutboxOwner) {
    this.#owner = owner;
    this.#timeoutMs = options.sendTimeoutMs;
    this.#messages = new SendQueue(options.sendQueueMax, options.sendQueueBytesMax);
    this.#requests = new SendQueue(options.sendQueueMax, options.sendQueueBytesMax);
  }

  get size(): number {
    return this.#messages.all.size + this.#requests.all.size;
  }

  /**
   * Publishes. Throws a GroupcastError: of the arguments, or the reason why the client is closed.
   */
  publish(groupId: string, message: JsonValue, options: SendOptions): Promise<Position | undefined> {
    this.#calls += 1;
    const command = publishCommand(groupId, message, options, `${this.#idPrefix}-${this.#calls}`);
    const accept = (ack: AckEvent): Position | null | undefined => {
      if (command.store === false) return null;
      const position = positionOf(ack);
      if (position && command.exclude_self) this.#owner.skipped(groupId, position);
      return position;
    };
    return this.#call(this.#messages, command, options, accept);
  }

  /** Reads earlier messages. Throws as `publish` does. */
  readHistory(groupId: string, options: HistoryOptions): Promise<History> {
    return this.#request(historyCommand(groupId, options), options, (ack) => historyOf(groupId, ack));
  }

  /** Removes a user from a group, or lets it in again. Throws as `publish` does. */
  moderate(cmd: ModerationCommand['cmd'], groupId: string, uid: string, options: BanOptions): Promise<void> {
    return this.#request(moderationCommand(cmd, groupId, uid, options), options, () => null);
  }

  /** Sends as much as the limits allow. */
  proceed(nowMs: number): void {
    for (const queue of [this.#requests, this.#messages]) {
      while (this.#owner.mayRequest(nowMs)) {
        const queued = queue.next(nowMs);
        if (!queued) break;
        this.#send(queued);
      }
    }
  }

  /** Rejects the messages that match. The cause is the reason why they were not sent. */
  drop(matches: (queued: Queued) => boolean): void {
    for (const queued of this.#messages.all) {
      if (matches(queued)) this.#messages.fail(queued, this.#lastRejection);
    }
  }

  /** Handles the end of the connection, or with `isFinal` the end of the client. */
  ended(error: GroupcastError | undefined, isFinal: boolean): void {
    this.#lastRejection = error;
    this.drop((queued) => isFinal || isEphemeral(queued));
    for (const request of isFinal ? this.#requests.all : []) this.#requests.reject(request, error);
  }

  #request<Result>(
    command: Queued['command'],
    { signal, timeoutMs = this.#timeoutMs }: CallOptions,
    accept: Queued['accept'],
  ): Promise<Result> {
    this.#calls += 1;
    return this.#call(this.#requests, command, { signal, timeoutMs }, accept);
  }

  #call<Result>(
    queue: SendQueue,
    command: Queued['command'],
    options: CallOptions,
    accept: Queued['accept'],
  ): Promise<Result> {
    this.#owner.assertOpen();
    const nowMs = performance.now();
    const queued: Queued = {
      queue,
      command,
      accept,
      bytes: commandBytes(command),
      deadlineMs: nowMs + this.#timeoutMs,
      call: openCall(options, (reason) => {
        queue.reject(queued, reason);
        this.#owner.pump();
      }),
      number: this.#calls,
      isUncertain: false,
      attempt: 0,
      retryAtMs: 0,
    };
    // An ephemeral message does not wait for a connection, nor for the rate.
    if (isEphemeral(queued) && !this.#owner.mayRequest(nowMs)) queue.fail(queued);
    else if (queue.add(queued)) this.#owner.pump();
    else queue.reject(queued, new GroupcastError('queue_full', 'Wait for answers first.'));
    return queued.call.promise as Promise<Result>;
  }

  #send(queued: Queued): void {
    const { message_bytes: bytesMax } = this.#owner.limits;
    const { queue, command, bytes, isUncertain } = queued;
    if (bytes > bytesMax) {
      queue.reject(
        queued,
        new GroupcastError('message_too_big', `${bytes} bytes exceed the limit of ${bytesMax}.`),
      );
      return;
    }
    queued.isUncertain = queue === this.#messages;
    this.#owner.sendNow(command, bytes, (ack, rejection) =>
      this.#answered(queued, isUncertain, ack, rejection),
    );
  }

  /** Handles an answer. Without `ack` and `rejection` the outcome is unknown. */
  #answered(queued: Queued, wasUncertain: boolean, ack?: AckEvent, rejection?: GroupcastError): void {
    const { queue, attempt } = queued;
    const result = ack && queued.accept(ack);
    // The call can have been cancelled.
    if (!queue.all.has(queued)) return;
    if (rejection) {
      queued.isUncertain = wasUncertain || (queue === this.#messages && UNCERTAIN.includes(rejection.code));
    }
    if (result !== undefined) {
      queue.settle(queued, result ?? undefined);
    } else if (rejection && !rejection.temporary) {
      queue.reject(queued, rejection);
    } else if (isEphemeral(queued)) {
      queue.fail(queued, rejection);
    } else {
      if (rejection) {
        this.#lastRejection = rejection;
        queued.retryAtMs = performance.now() + reconnectDelayMs(attempt, PUBLISH_RETRY_BOUNDS);
        queued.attempt += 1;
      }
      queue.retry(queued);
      this.#owner.pump();
    }
  }
}

/** An ephemeral message is sent at most once. */
function isEphemeral({ command }: Queued): boolean {
  return command.cmd === 'send_to_group' && command.store === false;
}
