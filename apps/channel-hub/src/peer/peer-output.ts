import type { Link } from '@groupcast/link';
import type { Output } from '../dialect/dialect.ts';
import type { Router } from '../routing/router.ts';

/** Receives how many bytes were sent by other ways than the engine's sink. */
type CountSent = (bytes: number) => void;

/** The frames to one peer, counted. */
export class PeerOutput implements Output {
  readonly #link: Link;
  readonly #router: Router;
  readonly #sent: CountSent;
  #delivered = 0;

  constructor(link: Link, router: Router, sent: CountSent) {
    this.#link = link;
    this.#router = router;
    this.#sent = sent;
  }

  /** Publications and items sent. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Bytes that wait for the peer. */
  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  countDelivered(count: number): void {
    this.#delivered += count;
  }

  send(frame: Uint8Array, key?: string): void {
    this.#link.send(frame, key);
  }

  sendToOne(frame: Uint8Array, key?: string): void {
    this.#delivered += 1;
    this.#link.send(frame, key);
    this.#router.addWork(frame.length);
    this.#sent(frame.length);
  }

  sendPage(header: Uint8Array, frames: readonly Uint8Array[]): void {
    let bytes = header.length;
    this.#link.send(header);
    for (const frame of frames) {
      bytes += frame.length;
      this.#link.send(frame);
    }
    this.#delivered += frames.length;
    this.#router.addWork(bytes, 1 + frames.length);
    this.#sent(bytes);
  }

  allowRecall(): void {
    this.#link.allowRecall();
  }

  recall(key: string): number {
    return this.#link.recall(key);
  }
}
