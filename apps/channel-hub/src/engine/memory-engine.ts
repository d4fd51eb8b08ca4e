import { randomBytes } from 'node:crypto';
import { native, ProtocolError } from '@groupcast/protocol';
import { PrefixMap } from '../prefix-map.ts';
import {
  type Engine,
  type EngineSink,
  type EngineStats,
  type FollowSlot,
  NO_POSITION,
  type PublishSlot,
} from './engine.ts';

const EPOCH_BYTES = 16;

/**
 * Keeps everything in this process, and answers at once.
 *
 * Only channels that are followed cost memory. All others share one number, the floor, which is not below the last
 * offset of any of them: an (epoch, offset) is never given twice, and the offsets of a channel only rise.
 */
export class MemoryEngine implements Engine {
  readonly #epoch = randomBytes(EPOCH_BYTES).toString('base64url');
  readonly #offsets = new Map<string, number>();
  readonly #prefixes = new PrefixMap<true>();
  #floor = 0;
  #sink: EngineSink | undefined;

  start(sink: EngineSink): Promise<void> {
    this.#sink = sink;
    return Promise.resolve();
  }

  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    const { channel } = publication;
    if (this.#sink === undefined) {
      slot.refused(request, new ProtocolError('hub_unavailable', 'The hub is shutting down.'));
      return;
    }
    const last = this.#offsets.get(channel);
    const offset = last === undefined ? ++this.#floor : last + 1;
    if (last !== undefined) this.#offsets.set(channel, offset);
    native.turnIntoDeliver(frame, offset);
    if (request !== 0) slot.published(request, { epoch: this.#epoch, offset });
    if (last !== undefined || this.#prefixes.matching(channel).length > 0) {
      this.#sink.deliver(channel, offset, frame);
    }
  }

  follow(subject: native.Subject, slot: FollowSlot): void {
    if (subject.prefix) {
      this.#prefixes.set(subject.name, true);
      slot.followed(NO_POSITION);
      return;
    }
    this.#offsets.set(subject.name, this.#floor);
    slot.followed({ epoch: this.#epoch, offset: this.#floor });
  }

  unfollow(subject: native.Subject): void {
    if (subject.prefix) {
      this.#prefixes.delete(subject.name);
      return;
    }
    this.#floor = Math.max(this.#floor, this.#offsets.get(subject.name) ?? 0);
    this.#offsets.delete(subject.name);
  }

  close(): Promise<void> {
    this.#sink = undefined;
    return Promise.resolve();
  }

  stats(): EngineStats {
    return { channels: this.#offsets.size, prefixes: this.#prefixes.size };
  }
}
