import type { GroupEvents, Joined, Message } from './group-events.ts';
import type { LoadState, Membership } from './membership.ts';
import { MessageBuffer } from './message-buffer.ts';
import type { Position } from './wire.ts';

export interface SendOptions {
  /** Keeps the message from this client, if it is a member. Default false. */
  readonly excludeSelf?: boolean;
  /**
   * By which the message is known again when it is sent again: 1 to 128 bytes. One is made when none is given. Within two minutes
   * a second message of this client with the same one is not published, and is answered with the position of the first.
   */
  readonly messageId?: string;
}

export interface JoinOptions {
  /** A position that the application has kept: what came after it is asked for. Of no effect when the group is joined already. */
  readonly since?: Position;
}

/** How a group sends, and what its iterations may hold. */
export interface GroupContext {
  readonly bufferMax: number;
  send(groupId: string, message: string, options: SendOptions): Promise<Position>;
  /** Throws once the client is closed: how it was. */
  assertOpen(): void;
}

/**
 * One group, from `client.group(id)`.
 *
 * It is joined by `join`, by `joinWithState` and by an iteration; it is left by `leave` only. Removing a listener or breaking out
 * of a loop does not leave it. Lost connections do not either: it is joined again from its position, and what was missed comes as
 * if nothing had happened; or a `gap` event says that something will not come.
 */
export class Group implements AsyncIterable<Message> {
  readonly #membership: Membership;
  readonly #context: GroupContext;

  /** Made by the client. */
  constructor(membership: Membership, context: GroupContext) {
    this.#membership = membership;
    this.#context = context;
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
   * Publishes to the group, in which this client need not be. Resolves with the position once the hub has the message.
   *
   * Until then it is sent again, after a lost connection too, under one message id, so that it is published once. What is
   * awaited one by one keeps its order. Of messages under way at the same time, one that has to be sent again may come behind
   * later ones.
   *
   * Rejects with a GroupcastError: `outcome_unknown` when it was tried for `sendTimeoutMs` and may have been published, `not_sent`
   * when it certainly was not, `queue_full`, `message_too_big`, `closed`, or what the gateway refuses it with.
   */
  send(message: string, options: SendOptions = {}): Promise<Position> {
    return this.#context.send(this.id, message, options);
  }

  /**
   * Joins, and resolves when that is done; at once where it is done. Rejects with what the gateway refuses it with, with `left`
   * when it is left meanwhile, and with `closed`.
   */
  async join({ since }: JoinOptions = {}): Promise<Joined> {
    this.#context.assertOpen();
    // First: a join may be refused at once.
    const joined = this.#membership.joined();
    this.#membership.join(since);
    return joined;
  }

  /**
   * Joins from a state that the application loads from elsewhere, without a gap between the two: asks for the group's position,
   * calls `load` with it, and then joins from there, so that messages follow that came while it was loading. Whenever messages
   * were missed, `load` is called again, with the reason, instead of a `gap` event; no message comes until it is done.
   *
   * Resolves when the group is joined for the first time. When the first `load` fails the group is left and this rejects with
   * `load_failed`; later, an `error` event says so and it is tried again.
   */
  async joinWithState(load: LoadState): Promise<Joined> {
    this.#context.assertOpen();
    this.#membership.joinWithState(load);
    return this.#membership.joined();
  }

  /** Leaves: no message comes from now on, and iterations end. Resolves when the gateway has confirmed it. */
  leave(): Promise<void> {
    this.#membership.leave();
    return this.#membership.leaving();
  }

  /** Adds a listener, and returns what removes it. Before `join`, or what comes with the answer to it is missed. */
  on<Name extends keyof GroupEvents>(name: Name, listener: (event: GroupEvents[Name]) => void): () => void {
    return this.#membership.events.on(name, listener);
  }

  /**
   * Joins, and gives messages from now on, of which `bufferMax` are held while the loop is busy; one more ends it with
   * `buffer_full`. It ends when the group is left or the client closed, with an error when the application did not ask for that.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Message, undefined> {
    this.#context.assertOpen();
    const buffer = new MessageBuffer(this.#context.bufferMax, this.#membership.buffers);
    this.#membership.join(undefined);
    return buffer.read();
  }
}
