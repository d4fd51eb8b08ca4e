import { encodeText, native, type Position } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import type { RequestConnection } from '../src/connection/requests.ts';

/** Returns the history that an epoch names: renamed ones have a suffix. */
export function historyOf(epoch: string): string {
  return epoch.replace(/\..*/, '');
}

interface ModelChannel {
  /** Offset of the newest publication. */
  top: number;
  /** Publications up to this offset are no longer in history. */
  trimmed: number;
}

/** Limit for publications in a page: low, so that short histories have several pages. */
const PAGE_LENGTH_MAX = 2;

/**
 * A correct hub with a history, and the connection to it as two lists of frames. Nothing moves by
 * itself, so that a test can put any step between any two others. Each publication has its history
 * and offset in its payload, and ephemeral ones also a number of their own.
 */
export class ModelHub implements RequestConnection {
  isOpen = false;
  readonly bufferedBytes = 0;
  readonly capabilities = native.ALL_CAPABILITIES;
  epoch = 'epoch-0';
  /** Frames of the peer that the hub has not read. */
  #up: Uint8Array[] = [];
  /**
   * Frames of the hub that the peer has not read. A page is one entry, because nothing comes
   * between its frames.
   */
  #down: Uint8Array[][] = [];
  readonly #channels = new Map<string, ModelChannel>();
  readonly #followed = new Set<string>();
  #lives = 0;
  #names = 0;
  #ephemeral = 0;

  send(frame: Uint8Array): void {
    this.#up.push(frame);
  }

  /** Whether nothing is in transit. */
  get isIdle(): boolean {
    return this.#up.length === 0 && this.#down.length === 0;
  }

  positionOf(channel: string): Position {
    return { epoch: this.epoch, offset: this.#channel(channel).top };
  }

  /** Returns whether history has all publications after an offset. */
  has(channel: string, since: number): boolean {
    return since >= this.#channel(channel).trimmed;
  }

  publish(channel: string): void {
    const state = this.#channel(channel);
    state.top += 1;
    if (this.#followed.has(channel)) this.#down.push([this.#publication(channel, state.top)]);
  }

  /** Publishes an ephemeral message, with a number that no other one has. */
  publishEphemeral(channel: string): void {
    if (!this.#followed.has(channel)) return;
    this.#ephemeral += 1;
    const { top } = this.#channel(channel);
    const payload = encodeText(`${historyOf(this.epoch)}:${top}:${this.#ephemeral}`);
    this.#down.push([
      native.encodeDeliver({ ...TEXT_FIELDS, channel, payload, number: top, ephemeral: true }),
    ]);
  }

  /** Gives the epoch another name. The history stays. */
  rename(): void {
    this.#names += 1;
    this.epoch = `${historyOf(this.epoch)}.${this.#names}`;
  }

  /** Removes all publications from history but the last ones. */
  trim(channel: string, kept: number): void {
    const state = this.#channel(channel);
    state.trimmed = Math.max(state.trimmed, state.top - kept);
  }

  /** Becomes another hub without history. The connection is lost too. */
  restart(): void {
    this.break();
    this.#lives += 1;
    this.epoch = `epoch-${this.#lives}`;
    this.#channels.clear();
  }

  /** Loses the connection, with everything in transit. */
  break(): void {
    this.isOpen = false;
    this.#up = [];
    this.#down = [];
    this.#followed.clear();
  }

  /**
   * Injects a fault: one delivery in transit is lost, or repeated. Ephemeral ones are not repeated,
   * which no receiver could notice.
   */
  spoilDelivery(which: number, how: 'lose' | 'repeat'): void {
    const deliveries = this.#down.filter(
      ([frame, ...more]) => frame !== undefined && isDelivery(frame, how) && more.length === 0,
    );
    const spoilt = deliveries[which % Math.max(1, deliveries.length)];
    if (spoilt === undefined) return;
    const at = this.#down.indexOf(spoilt);
    if (how === 'lose') this.#down.splice(at, 1);
    else this.#down.splice(at, 0, spoilt);
  }

  /** Reads one message of the peer and answers it. With `refuse`, a HISTORY is rejected. */
  work(refuse = false): void {
    const frame = this.#up.shift();
    if (frame === undefined) return;
    const message = native.decodeNative(frame);
    if (message.type === 'subscribe') this.#subscribe(message);
    else if (message.type === 'unsubscribe') {
      for (const { name } of message.subjects) this.#followed.delete(name);
    } else if (message.type === 'history') {
      const { request } = message;
      if (refuse) this.#down.push([native.encodeError({ request, code: 'internal_error', message: '' })]);
      else this.#down.push(this.#page(message));
    } else {
      throw new Error(`A peer does not send ${message.type} here.`);
    }
  }

  /** Removes and returns the next frames for the peer. */
  takeDown(): readonly Uint8Array[] {
    return this.#down.shift() ?? [];
  }

  #subscribe(message: native.Subscribe): void {
    const entries = message.subjects.map((subject) => {
      this.#followed.add(subject.name);
      const epochIs = this.#compare(subject.epoch);
      return { ...subject, position: this.positionOf(subject.name), epochIs };
    });
    this.#down.push([native.encodeSubscribed({ request: message.request, entries })]);
  }

  /** Compares the epoch with one that a peer knows: names of one history are renamed ones. */
  #compare(known: string | undefined): native.EpochComparison {
    const exact = native.compareEpochs(this.epoch, known);
    if (exact === 'same' || known === undefined) return exact;
    return historyOf(known) === historyOf(this.epoch) ? 'renamed' : 'changed';
  }

  #page({ request, channel, since }: native.History): Uint8Array[] {
    const position = this.positionOf(channel);
    const epochIs = this.#compare(since.epoch);
    const none = { request, position, epochIs, count: 0 };
    if (epochIs === 'changed' || since.offset > position.offset)
      return [native.encodePage({ ...none, verdict: 'epoch_changed' })];
    if (!this.has(channel, since.offset)) return [native.encodePage({ ...none, verdict: 'trimmed' })];
    const count = Math.min(PAGE_LENGTH_MAX, position.offset - since.offset);
    const offsets = Array.from({ length: count }, (_, index) => since.offset + 1 + index);
    return [
      native.encodePage({ ...none, verdict: 'recovered', count }),
      ...offsets.map((offset) => this.#publication(channel, offset)),
    ];
  }

  #publication(channel: string, offset: number): Uint8Array {
    const payload = encodeText(`${historyOf(this.epoch)}:${offset}`);
    const rest = TEXT_FIELDS;
    return native.encodeDeliver({ ...rest, channel, payload, number: offset });
  }

  #channel(name: string): ModelChannel {
    const found = this.#channels.get(name);
    if (found !== undefined) return found;
    const made = { top: 0, trimmed: 0 };
    this.#channels.set(name, made);
    return made;
  }
}

/** Returns whether a frame is a DELIVER that may be spoilt in this way. */
function isDelivery(frame: Uint8Array, how: 'lose' | 'repeat'): boolean {
  const message = native.decodeNative(frame);
  return message.type === 'deliver' && (how === 'lose' || !message.publication.ephemeral);
}
