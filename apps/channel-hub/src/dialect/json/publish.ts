import type { Position, ProtocolError } from '@groupcast/protocol';
import type { PublishSlot } from '../../engine/engine.ts';

/** Where a publication was put. */
export interface ChannelPosition extends Position {
  readonly channel: string;
}

/** Who is told how a `publish` ended. */
export interface JsonPublishOutcome {
  /** The number of the peer that publishes. */
  readonly publisher: number;
  published(id: string | number, positions: readonly ChannelPosition[]): void;
  refused(id: string | number | undefined, error: ProtocolError): void;
}

/** One `publish` of the JSON dialect: several publications, and one answer when the engine has answered all of them. */
export class JsonPublish implements PublishSlot {
  readonly #id: string | number | undefined;
  readonly #channels: readonly string[];
  readonly #outcome: JsonPublishOutcome;
  readonly #positions: (ChannelPosition | undefined)[];
  #left: number;
  #isRefused = false;

  constructor(id: string | number | undefined, channels: readonly string[], outcome: JsonPublishOutcome) {
    this.#id = id;
    this.#channels = channels;
    this.#outcome = outcome;
    this.#positions = channels.map(() => undefined);
    this.#left = channels.length;
  }

  get publisher(): number {
    return this.#outcome.publisher;
  }

  /** The request of the publication to channel number `index`; 0 when no answer is wanted. */
  request(index: number): number {
    return this.#id === undefined ? 0 : index + 1;
  }

  published(request: number, position: Position): void {
    const channel = this.#channels[request - 1];
    if (channel === undefined || this.#id === undefined) return;
    this.#positions[request - 1] = { channel, epoch: position.epoch, offset: position.offset };
    this.#left -= 1;
    if (this.#left > 0 || this.#isRefused) return;
    this.#outcome.published(
      this.#id,
      this.#positions.filter((known) => known !== undefined),
    );
  }

  /** One refusal answers for all: which of the others were published is not told. */
  refused(_request: number, error: ProtocolError): void {
    this.#left -= 1;
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.#outcome.refused(this.#id, error);
  }
}
