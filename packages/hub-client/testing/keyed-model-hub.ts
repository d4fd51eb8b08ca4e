import { encodeText, native, type Position } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import type { RequestConnection } from '../src/connection/requests.ts';

export const CHANNEL = 'c';

interface Value {
  readonly text: string;
  readonly frame: Uint8Array;
  readonly untilMs: number;
}

/** Limit for publications in a page: low, so that few values have several pages. */
const PAGE_LENGTH_MAX = 2;

/**
 * A correct hub with one keyed channel, and the connection to it as two lists of frames. Nothing
 * moves by itself, so that a test can put any step between any two others.
 */
export class KeyedModelHub implements RequestConnection {
  isOpen = false;
  readonly bufferedBytes = 0;
  readonly capabilities = native.ALL_CAPABILITIES;
  #epoch = 'epoch-0';
  #up: Uint8Array[] = [];
  /** Frames for the peer; those of a page are one entry. */
  #down: Uint8Array[][] = [];
  /** Publications since the start, of which the first `#trimmed` are no longer in history. */
  #log: Uint8Array[] = [];
  #trimmed = 0;
  readonly #values = new Map<string, Value>();
  #isFollowed = false;

  send(frame: Uint8Array): void {
    this.#up.push(frame);
  }

  get isIdle(): boolean {
    return this.#up.length === 0 && this.#down.length === 0;
  }

  get #position(): Position {
    return { epoch: this.#epoch, offset: this.#log.length };
  }

  /** Returns the values that have not expired, by their keys. */
  values(): Map<string, string> {
    const found = new Map<string, string>();
    for (const [key, { text, untilMs }] of this.#values)
      if (untilMs > performance.now()) found.set(key, text);
    return found;
  }

  /** Returns the values without an expiry that were the newest at a position of this life. */
  endlessAt({ epoch, offset }: Position): Map<string, string> {
    const found = new Map<string, string>();
    if (epoch !== this.#epoch) throw new Error(`The hub has no position of ${epoch}.`);
    for (const frame of this.#log.slice(0, offset)) {
      const { keyed, payload } = native.decodePublication(frame);
      found.delete(keyed?.key ?? '');
      if (payload.length > 0 && keyed?.lifeMs === 0) found.set(keyed.key, new TextDecoder().decode(payload));
    }
    return found;
  }

  /** Publishes a value, or a removal with ''. */
  set(key: string, text: string, lifeMs: number): void {
    const frame = this.#frame(this.#log.length + 1, text, { key, lifeMs });
    const untilMs = lifeMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + lifeMs;
    this.#log.push(frame);
    this.#values.delete(key);
    if (text !== '') this.#values.set(key, { text, frame, untilMs });
    if (this.#isFollowed) this.#down.push([frame]);
  }

  /** Removes all publications from history but the last ones. */
  trim(kept: number): void {
    this.#trimmed = Math.max(this.#trimmed, this.#log.length - kept);
  }

  /** Becomes another hub without history and values. The connection is lost too. */
  restart(): void {
    this.break();
    this.#epoch += '+';
    this.#log = [];
    this.#trimmed = 0;
    this.#values.clear();
  }

  /** Loses the connection, with everything in transit. */
  break(): void {
    this.isOpen = false;
    this.#up = [];
    this.#down = [];
    this.#isFollowed = false;
  }

  /** Injects a fault: one delivery in transit is lost. */
  loseDelivery(which: number): void {
    const deliveries = this.#down.filter(
      ([frame, ...more]) => frame?.[4] === native.OPCODES.deliver && more.length === 0,
    );
    const lost = deliveries[which % Math.max(1, deliveries.length)];
    if (lost !== undefined) this.#down.splice(this.#down.indexOf(lost), 1);
  }

  /** Reads one message of the peer and answers it. With `reject`, a HISTORY is rejected. */
  work(reject = false): void {
    const frame = this.#up.shift();
    if (frame === undefined) return;
    const message = native.decodeNative(frame);
    if (message.type === 'subscribe') {
      this.#isFollowed = true;
      const [subject] = message.subjects;
      const epochIs = native.compareEpochs(this.#epoch, subject?.epoch);
      const entry = { name: CHANNEL, prefix: false, position: this.#position, epochIs };
      this.#down.push([native.encodeSubscribed({ request: message.request, entries: [entry] })]);
    } else if (message.type === 'unsubscribe') this.#isFollowed = false;
    else if (message.type !== 'history') throw new Error(`A peer does not send ${message.type} here.`);
    else if (reject)
      this.#down.push([
        native.encodeError({ request: message.request, code: 'internal_error', message: '' }),
      ]);
    else this.#down.push(this.#page(message));
  }

  /** Removes and returns the next frames for the peer. */
  takeDown(): readonly Uint8Array[] {
    return this.#down.shift() ?? [];
  }

  #page({ request, since, snapshot, afterKey }: native.History): Uint8Array[] {
    const position = this.#position;
    const isOther = since.epoch !== this.#epoch || since.offset > position.offset;
    const verdict = isOther ? 'epoch_changed' : since.offset < this.#trimmed ? 'trimmed' : 'recovered';
    if (snapshot) return this.#snapshot(request, afterKey);
    if (verdict !== 'recovered') return [native.encodePage({ request, verdict, position, count: 0 })];
    const frames = this.#log
      .slice(since.offset, since.offset + PAGE_LENGTH_MAX)
      .map((frame) => this.#withRemainingLife(frame));
    return [native.encodePage({ request, verdict, position, count: frames.length }), ...frames];
  }

  #snapshot(request: number, afterKey: string): Uint8Array[] {
    const keys = [...this.values().keys()].filter((key) => key > afterKey).toSorted();
    const frames = keys
      .slice(0, PAGE_LENGTH_MAX)
      .map((key) => this.#withRemainingLife(this.#values.get(key)?.frame ?? new Uint8Array()));
    const more = keys.length > frames.length;
    const header = { request, verdict: 'snapshot' as const, position: this.#position, count: frames.length };
    return [native.encodePage({ ...header, more }), ...frames];
  }

  #withRemainingLife(frame: Uint8Array): Uint8Array {
    const { number, payload, keyed } = native.decodePublication(frame);
    if (keyed === undefined || keyed.lifeMs === 0) return frame;
    const value = this.#values.get(keyed.key);
    const lifeMs = value?.frame === frame ? Math.max(1, value.untilMs - performance.now()) : 1;
    return this.#frame(number, new TextDecoder().decode(payload), { key: keyed.key, lifeMs });
  }

  #frame(number: number, text: string, keyed: native.Keyed): Uint8Array {
    const names = { ...TEXT_FIELDS, channel: CHANNEL, meta: keyed.lifeMs === 0 ? '' : 'has a life' };
    return native.encodeDeliver({ ...names, payload: encodeText(text), number, keyed });
  }
}
