import type { Position, ProtocolError } from '@groupcast/protocol';
import type { PublishSlot } from '../../engine/engine.ts';
import type { ChannelPosition, JsonReplies } from './replies.ts';

/** One `publish` of the JSON dialect: a publication per channel, and one reply to all of them. */
export class JsonPublish implements PublishSlot {
  readonly publisher: number;
  readonly #id: string | number | undefined;
  readonly #channels: readonly string[];
  readonly #replies: JsonReplies;
  readonly #positions: (ChannelPosition | undefined)[];
  #unanswered: number;
  #isRejected = false;

  /** `publisher`: number of the peer. Without an `id` the peer wants no reply. */
  constructor(
    publisher: number,
    id: string | number | undefined,
    channels: readonly string[],
    replies: JsonReplies,
  ) {
    this.publisher = publisher;
    this.#id = id;
    this.#channels = channels;
    this.#replies = replies;
    this.#positions = channels.map(() => undefined);
    this.#unanswered = channels.length;
    if (id !== undefined) replies.begin();
  }

  /** Returns the request number of the publication to channel number `index`; 0 for no answer. */
  request(index: number): number {
    return this.#id === undefined ? 0 : index + 1;
  }

  published(request: number, position: Position): void {
    const channel = this.#channels[request - 1];
    if (channel === undefined || this.#id === undefined) return;
    this.#positions[request - 1] = { channel, epoch: position.epoch, offset: position.offset };
    this.#unanswered -= 1;
    if (this.#unanswered > 0 || this.#isRejected) return;
    this.#replies.published(
      this.#id,
      this.#positions.filter((known) => known !== undefined),
    );
  }

  /** Rejects the whole request; the reply does not tell which other channels were published to. */
  publishRejected(_request: number, error: ProtocolError): void {
    this.#unanswered -= 1;
    if (this.#isRejected) return;
    this.#isRejected = true;
    if (this.#id === undefined) this.#replies.reject(undefined, error);
    else this.#replies.rejected(this.#id, error);
  }
}
