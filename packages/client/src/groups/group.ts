import type { JsonValue, Position } from '@groupcast/protocol/client';
import { badOption } from '../options.ts';
import type { History, HistoryOptions } from '../sending/history.ts';
import type { BanOptions, KickOptions } from '../sending/moderation.ts';
import type { Outbox } from '../sending/outbox.ts';
import type { SendOptions } from '../sending/publish-command.ts';
import { attempt, type CallOptions } from './call.ts';
import type { GroupEvents, Joined, Message } from './group-events.ts';
import type { LoadState } from './group-state.ts';
import type { Membership } from './membership.ts';
import { checkedRange, type MessageRange } from './message-range.ts';

/** `since` and `last` have no effect when the group is joined already. */
export interface JoinOptions extends CallOptions, MessageRange {}

export interface LeaveOptions {
  /** Leaves for all users of the group, and ends its iterations. Default false: undoes one join. */
  readonly all?: boolean;
}

/**
 * One group, from `client.group(id)`. Its users share it: joins are counted, and a listener hears
 * the group regardless of which user joined it.
 *
 * `join` and `joinWithState` join until `leave` has undone each of them. An iteration joins until
 * it ends. After a reconnect the client joins again at its position and receives the missed
 * messages. A `gap` event reports messages that cannot be recovered.
 */
export class Group implements AsyncIterable<Message> {
  readonly #membership: Membership;
  readonly #outbox: Outbox;

  /** Is called by the client only. */
  constructor(membership: Membership, outbox: Outbox) {
    this.#membership = membership;
    this.#outbox = outbox;
  }

  get id(): string {
    return this.#membership.groupId;
  }

  get state(): 'left' | 'joining' | 'joined' {
    return this.#membership.state;
  }

  /** The last received position. `undefined` before the first join, and after `leave`. */
  get position(): Position | undefined {
    return this.#membership.position;
  }

  /**
   * Publishes to the group, with or without a join. Resolves with the position when the hub has the
   * message. Members receive a string as it is, and any other JSON value as its text.
   *
   * Retries an unanswered message under the same message id, so that it is published once. Messages
   * that are awaited one by one keep their order. Among concurrent messages, a retried one can come
   * behind later ones.
   *
   * Rejects with a GroupcastError:
   * - `outcome_unknown` after `sendTimeoutMs` when the message may have been published;
   * - `not_sent` after `sendTimeoutMs` when it was not published;
   * - `queue_full`, `message_too_big`, `bad_field`, `closed`, or a code of the gateway.
   *
   * A signal or `timeoutMs` rejects with the reason of the signal or `timeout` if the message was
   * not published. Otherwise the error is `outcome_unknown`, with that cause.
   *
   * With `store: false` the message is ephemeral. It resolves without a position, is sent at most
   * once, and rejects with `not_sent` at once while the client is not connected.
   */
  send(message: JsonValue, options?: SendOptions & { readonly store?: true }): Promise<Position>;
  send(message: JsonValue, options: SendOptions): Promise<Position | undefined>;
  send(message: JsonValue, options: SendOptions = {}): Promise<Position | undefined> {
    return attempt(options, () => this.#outbox.publish(this.id, message, options));
  }

  /**
   * Reads earlier messages, with or without a join: those after `since`, or the `last` ones. It is
   * retried until `timeoutMs`, by default `sendTimeoutMs`, and rejects with `timeout` then.
   * Otherwise it rejects with a code of the gateway, `bad_option`, `queue_full`, `closed`, or the
   * reason of the signal.
   */
  history(options: HistoryOptions): Promise<History> {
    return attempt(options, () => this.#outbox.readHistory(this.id, options));
  }

  /**
   * Removes the connections of a user from the group, on all gateways. They may join again. Is
   * retried as `history` is, and rejects in the same ways: with `forbidden` without the permission
   * `manage`.
   */
  kick(uid: string, options: KickOptions = {}): Promise<void> {
    return attempt(options, () => this.#outbox.moderate('kick', this.id, uid, options));
  }

  /** Removes a user, and rejects its joins for `seconds`, or until `unban`. Otherwise as `kick`. */
  ban(uid: string, options: BanOptions = {}): Promise<void> {
    return attempt(options, () => this.#outbox.moderate('ban', this.id, uid, options));
  }

  /** Lets a user join again. Otherwise as `kick`. */
  unban(uid: string, options: CallOptions = {}): Promise<void> {
    return attempt(options, () => this.#outbox.moderate('unban', this.id, uid, options));
  }

  /**
   * Joins. Resolves when the group is joined; at once when it is already. One `leave` undoes each
   * join. A join that rejects is already undone.
   *
   * Rejects with a code of the gateway, `bad_option`, `left`, `closed`, `timeout`, or the reason of
   * the signal. Rejections that the application asked for (`left`, `closed`, the signal) are not
   * reported as unhandled.
   */
  join(options: JoinOptions = {}): Promise<Joined> {
    return attempt(options, () => this.#membership.join(options, checkedRange(options)));
  }

  /**
   * Joins after the application has loaded its state from elsewhere, without a gap between the two.
   * Reads the position of the group, calls `load` with it, and joins at that position. When
   * messages are missed later, it calls `load` again with the reason, instead of a `gap` event. No
   * message is delivered until `load` is done.
   *
   * Resolves after the first join. When the first `load` fails, the client leaves the group and
   * this rejects with `load_failed`. Later failures emit `error` and are retried. All else is as in
   * `join`.
   */
  joinWithState(load: LoadState, options: CallOptions = {}): Promise<Joined> {
    return attempt(options, () => {
      if (typeof load !== 'function') throw badOption('load must be a function.');
      return this.#membership.join(options, {}, load);
    });
  }

  /**
   * Undoes one join. The last one leaves the group: no message is delivered from now on. With
   * `all`, leaves at once for all users and ends the iterations. Resolves when the gateway has
   * confirmed the leave; at once while the group is in use.
   */
  leave({ all }: LeaveOptions = {}): Promise<void> {
    if (all === true) this.#membership.leave();
    else this.#membership.release();
    return this.#membership.leaving();
  }

  /** Adds a listener, best before `join`. Returns a function that removes it. */
  on<Name extends keyof GroupEvents>(name: Name, listener: (event: GroupEvents[Name]) => void): () => void {
    return this.#membership.events.on(name, listener);
  }

  /** Adds a listener for one event. Returns a function that removes it. */
  once<Name extends keyof GroupEvents>(name: Name, listener: (event: GroupEvents[Name]) => void): () => void {
    return this.#membership.events.on(name, listener, true);
  }

  off<Name extends keyof GroupEvents>(name: Name, listener: (event: GroupEvents[Name]) => void): void {
    this.#membership.events.off(name, listener);
  }

  /**
   * Joins until the iteration ends, and returns the messages from now on. Buffers `bufferMax`
   * messages while the loop is busy; one more ends the iteration with `buffer_full`. It also ends
   * with `break` or `return()`, and when the group is left for all users or the client is closed.
   * Then it throws, unless the application asked for the end.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Message, undefined> {
    return this.#membership.iterate();
  }
}
