import type { JsonValue, Position } from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import { badOption } from '../options.ts';
import type { Exchange } from '../sending/exchange.ts';
import type { SendOptions } from '../sending/send-queue.ts';
import { attempt, type CallOptions } from './call.ts';
import type { GroupEvents, Joined, Message } from './group-events.ts';
import type { LoadState } from './group-state.ts';
import type { Membership } from './membership.ts';

export interface JoinOptions extends CallOptions {
  /**
   * A position that the application has kept: what came after it is asked for. Without effect when the group is joined already.
   * `null` is no position, as a storage returns it at the first visit.
   */
  readonly since?: Position | null | undefined;
}

export interface LeaveOptions {
  /** Leaves for all users of the group, and ends its iterations. Default false: undoes one join. */
  readonly all?: boolean;
}

/**
 * One group, from `client.group(id)`. Its users share it: joins are counted, and listeners hear the group regardless of who joined it.
 *
 * `join` and `joinWithState` join it until `leave` has undone each of them. An iteration joins it until the iteration ends. Lost
 * connections do not leave it: it is joined again from its position, and what was missed comes as if nothing had happened; or a
 * `gap` event says that something will not come.
 */
export class Group implements AsyncIterable<Message> {
  readonly #membership: Membership;
  readonly #exchange: Exchange;

  /** Made by the client. */
  constructor(membership: Membership, exchange: Exchange) {
    membership.owner = this;
    this.#membership = membership;
    this.#exchange = exchange;
  }

  get id(): string {
    return this.#membership.groupId;
  }

  get state(): 'left' | 'joining' | 'joined' {
    return this.#membership.state;
  }

  /** Up to here everything was received. `undefined` before the first join, and after `leave`. */
  get position(): Position | undefined {
    return this.#membership.position;
  }

  /**
   * Publishes to the group, in which this client need not be. Resolves with the position once the hub has the message. Members get
   * a string as it is, and any other JSON value as its text: parse it there.
   *
   * Until then it is sent again, after a lost connection too, under one message id, so that it is published once. What is
   * awaited one by one keeps its order. Of messages under way at the same time, one that has to be sent again may come behind
   * later ones.
   *
   * Rejects with a GroupcastError: `outcome_unknown` when it was tried for `sendTimeoutMs` and may have been published, `not_sent`
   * when it certainly was not, `queue_full`, `message_too_big`, `bad_field`, `closed`, or what the gateway refuses it with.
   * A signal or `timeoutMs` rejects with the signal's reason or `timeout` when it certainly was not published; else with
   * `outcome_unknown`, which has that as its cause.
   */
  send(message: JsonValue, options: SendOptions = {}): Promise<Position> {
    return attempt(options, () => this.#exchange.publish(this.id, message, options));
  }

  /**
   * Joins, and resolves when that is done; at once where it is done. Each join is undone by one `leave`; one that rejects is undone
   * already. Rejects with what the gateway refuses it with, with `bad_option`, with `left` when the group is left meanwhile, with
   * `closed`, with the signal's reason, or with `timeout`. What the application asked for (`left`, `closed`, the signal) is not
   * reported as an unhandled rejection.
   */
  join(options: JoinOptions = {}): Promise<Joined> {
    return attempt(options, () => this.#membership.join(options, sinceOf(options)));
  }

  /**
   * Joins from a state that the application loads from elsewhere, without a gap between the two: asks for the group's position,
   * calls `load` with it, and then joins from there, so that messages follow that came while it was loading. Whenever messages
   * were missed, `load` is called again, with the reason, instead of a `gap` event; no message comes until it is done.
   *
   * Resolves when the group is joined for the first time. When the first `load` fails the group is left and this rejects with
   * `load_failed`; later, an `error` event says so and it is tried again. For the rest it is like `join`.
   */
  joinWithState(load: LoadState, options: CallOptions = {}): Promise<Joined> {
    return attempt(options, () => {
      if (typeof load !== 'function') throw badOption('load must be a function.');
      return this.#membership.join(options, undefined, load);
    });
  }

  /**
   * Undoes one join. The last one leaves: no message comes from now on. With `all`, leaves at once for all users, and ends the
   * iterations. Resolves when the gateway has confirmed it; at once where the group is still in use.
   */
  leave({ all }: LeaveOptions = {}): Promise<void> {
    if (all === true) this.#membership.leave();
    else this.#membership.release();
    return this.#membership.leaving();
  }

  /** Adds a listener, and returns what removes it. Before `join`, or what comes with the answer to it is missed. */
  on<Name extends keyof GroupEvents>(name: Name, listener: (event: GroupEvents[Name]) => void): () => void {
    return this.#membership.events.on(name, listener);
  }

  /** Adds a listener for one event, and returns what removes it. */
  once<Name extends keyof GroupEvents>(name: Name, listener: (event: GroupEvents[Name]) => void): () => void {
    return this.#membership.events.on(name, listener, true);
  }

  off<Name extends keyof GroupEvents>(name: Name, listener: (event: GroupEvents[Name]) => void): void {
    this.#membership.events.off(name, listener);
  }

  /**
   * Joins until the iteration ends, and gives messages from now on, of which `bufferMax` are held while the loop is busy; one more
   * ends it with `buffer_full`. It ends with a `break` or `return()`, and when the group is left for all users or the client
   * closed; with an error when the application did not ask for that.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Message, undefined> {
    return this.#membership.iterate();
  }
}

function sinceOf({ since }: JoinOptions): Position | undefined {
  if (since === undefined || since === null) return undefined;
  const position = positionOf(since);
  if (position !== undefined) return position;
  throw badOption('since must be a position or null.');
}
