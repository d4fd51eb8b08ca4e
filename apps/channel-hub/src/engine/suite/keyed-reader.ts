import { native, type Position } from '@groupcast/protocol';
import { textOf } from '../../../testing/engine-harness.ts';
import type { HistoryPage, HistoryQuery } from '../engine.ts';

const NOWHERE: Position = { epoch: '', offset: 0 };

/**
 * A reader of a keyed channel, as PROTOCOL.md describes it: it applies deliveries and pages in
 * order, and drops values by its own clock.
 *
 *     away -> asking -> live          it reads history, and skips deliveries meanwhile
 *               |        ^
 *               +> loading            it reads a snapshot, and applies deliveries meanwhile
 */
export class KeyedReader {
  readonly channel: string;
  /** Reads that history answered. */
  recoveries = 0;
  #state: 'away' | 'asking' | 'loading' | 'live' = 'away';
  #position = NOWHERE;
  #afterKey = '';
  readonly #values = new Map<string, { readonly text: string; readonly untilMs: number }>();

  constructor(channel: string) {
    this.channel = channel;
  }

  get isThere(): boolean {
    return this.#state !== 'away';
  }

  come(): void {
    if (this.#state === 'away') this.#state = 'asking';
  }

  go(): void {
    // What was loaded has a position only when all is loaded.
    if (this.#state === 'loading') this.#position = NOWHERE;
    this.#state = 'away';
  }

  /** Returns the next page that it needs. */
  query(): HistoryQuery | undefined {
    const { channel } = this;
    if (this.#state === 'asking') return { channel, since: this.#position, snapshot: true };
    if (this.#state !== 'loading') return undefined;
    return { channel, since: NOWHERE, snapshot: true, afterKey: this.#afterKey };
  }

  readPage({ verdict, position, frames, more }: HistoryPage): void {
    if (verdict === 'snapshot') {
      if (this.#state === 'asking') this.#values.clear();
      this.#state = more ? 'loading' : 'live';
      this.#position = position;
      for (const frame of frames) this.#afterKey = this.#apply(frame);
    } else {
      this.recoveries += 1;
      for (const frame of frames) this.#apply(frame);
      this.#position = { ...position, offset: this.#position.offset + frames.length };
      if (!more) this.#state = 'live';
    }
  }

  deliver(frame: Uint8Array): void {
    if (this.#state !== 'live' && this.#state !== 'loading') return;
    this.#apply(frame);
    this.#position = { ...this.#position, offset: native.numberAt(frame, 0) };
  }

  /** Returns the values that have not expired. */
  values(): Map<string, string> {
    const found = new Map<string, string>();
    for (const [key, { text, untilMs }] of this.#values)
      if (untilMs > performance.now()) found.set(key, text);
    return found;
  }

  /** Applies a publication. Returns its key. */
  #apply(frame: Uint8Array): string {
    const { keyed, payload } = native.decodePublication(frame);
    if (keyed === undefined) return '';
    const { key, lifeMs } = keyed;
    const untilMs = lifeMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + lifeMs;
    if (payload.length === 0) this.#values.delete(key);
    else this.#values.set(key, { text: textOf(frame).slice(0, 8), untilMs });
    return key;
  }
}
