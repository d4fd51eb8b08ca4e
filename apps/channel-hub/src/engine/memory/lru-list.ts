import type { ChannelHistory } from './channel-history.ts';

/**
 * Streams in the order of their last use. Each step takes the same time however many there are: a Map in which things move
 * to the end has to pass over all holes that they left at its front.
 */
export class LruList {
  #oldest: ChannelHistory | undefined;
  #newest: ChannelHistory | undefined;

  /** The stream that was used longest ago. */
  get oldest(): ChannelHistory | undefined {
    return this.#oldest;
  }

  /** The stream is now the one that was used last, whether it was among them or not. */
  touch(stream: ChannelHistory): void {
    if (this.#newest === stream) return;
    this.remove(stream);
    stream.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = stream;
    else this.#newest.newer = stream;
    this.#newest = stream;
  }

  /** One that is not among them is no error. */
  remove(stream: ChannelHistory): void {
    const { older, newer } = stream;
    if (this.#oldest === stream) this.#oldest = newer;
    if (this.#newest === stream) this.#newest = older;
    if (older !== undefined) older.newer = newer;
    if (newer !== undefined) newer.older = older;
    stream.older = undefined;
    stream.newer = undefined;
  }
}
