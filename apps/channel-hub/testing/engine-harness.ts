import { encodeText, native, type Position, type ProtocolError } from '@groupcast/protocol';
import { onTestFinished } from 'vitest';
import type {
  Engine,
  EngineSink,
  EngineStats,
  HistoryBoundsOf,
  HistoryPage,
  HistoryQuery,
  HistorySlot,
  PublishSlot,
} from '../src/engine/engine.ts';

/** A publication without a message id. */
export function publicationOf(channel: string, text: string): native.Publication {
  const payload = encodeText(text);
  const names = { channel, kind: 'text', excludeSender: true, sender: 'me', messageId: '' } as const;
  return { ...native.PUBLICATION_DEFAULTS, ...names, payload, number: 7 };
}

/** The payload of a DELIVER. */
export function textOf(frame: Uint8Array): string {
  return Buffer.from(native.decodePublication(frame).payload).toString();
}

/** Starts an engine, which is closed at the end of the test. */
export async function startEngine(createEngine: () => Engine): Promise<Harness> {
  const harness = new Harness(createEngine());
  await harness.start();
  onTestFinished(() => harness.close());
  return harness;
}

interface Delivery {
  readonly channel: string;
  readonly offset: number;
  readonly frame: Uint8Array;
}

/** An engine whose answers are promises. */
export class Harness implements EngineSink, PublishSlot, HistorySlot {
  readonly deliveries: Delivery[] = [];
  readonly answeredRequests: number[] = [];
  /** Number of the publishing peer. */
  publisher = 1;
  /** Answers to `subscribe` and `history`, and deliveries, in order. */
  readonly events: string[] = [];
  readonly #engine: Engine;
  readonly #waiting = new Map<number, Waiting>();
  readonly #reading = new Map<number, Reading>();
  #onDelivered = (): void => {};
  #lastRequest = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  start(): Promise<void> {
    return this.#engine.start(this);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  stats(): EngineStats {
    return this.#engine.stats();
  }

  publish(channel: string, text: string, fields: Partial<native.Publication> = {}): Promise<Position> {
    const publication = { ...publicationOf(channel, text), ...fields };
    return this.publishFrame(publication, native.encodePublish(publication));
  }

  publishFrame(publication: native.Publication, frame: Uint8Array): Promise<Position> {
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      this.publishWith(publication, frame, request);
    });
  }

  publishWith(publication: native.Publication, frame: Uint8Array, request: number): void {
    this.#engine.publish(publication, frame, this, request);
  }

  subscribe(subject: native.Subject): Promise<Position> {
    return new Promise((resolve, reject) => {
      const subscribed = (position: Position): void => {
        this.events.push(`subscribed ${subject.name}`);
        resolve(position);
      };
      this.#engine.subscribe(subject, { subscribed, subscribeRejected: reject, deliverRun: noRuns });
    });
  }

  boundHistory(boundsOf: HistoryBoundsOf): void {
    this.#engine.boundHistory(boundsOf);
  }

  /** Reads one page after a position, or what `fields` ask for. */
  history(channel: string, since: Position, fields: Partial<HistoryQuery> = {}): Promise<HistoryPage> {
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#reading.set(request, { channel, resolve, reject });
      this.#engine.history({ channel, since, ...fields }, this, request);
    });
  }

  /** Returns the position of a channel. */
  async position(channel: string): Promise<Position> {
    return (await this.history(channel, { epoch: '', offset: 0 })).position;
  }

  historyPage(request: number, page: HistoryPage): void {
    const reading = this.#reading.get(request);
    this.events.push(`page ${reading?.channel} ${page.verdict} ${page.position.offset}`);
    reading?.resolve(page);
  }

  historyRejected(request: number, error: ProtocolError): void {
    this.#reading.get(request)?.reject(error);
  }

  /** Resolves when it has taken effect, as the answer to a later call shows. */
  async unsubscribe(subject: native.Subject): Promise<void> {
    this.#engine.unsubscribe(subject);
    await this.publish('witness', '');
  }

  published(request: number, position: Position): void {
    this.answeredRequests.push(request);
    this.#waiting.get(request)?.resolve(position);
  }

  publishRejected(request: number, error: ProtocolError): void {
    this.answeredRequests.push(request);
    this.#waiting.get(request)?.reject(error);
  }

  deliver(channel: string, offset: number, frame: Uint8Array): void {
    const delivery = { channel, offset, frame };
    this.deliveries.push(delivery);
    this.events.push(`deliver ${channel} ${offset}`);
    this.#onDelivered();
  }

  deliverEphemeral(channel: string, frame: Uint8Array): void {
    const { number } = native.decodePublication(frame);
    this.deliveries.push({ channel, offset: number, frame });
    this.events.push(`ephemeral ${channel} ${number}`);
    this.#onDelivered();
  }

  async delivered(count: number): Promise<void> {
    while (this.deliveries.length < count) {
      await new Promise<void>((resolve) => {
        this.#onDelivered = resolve;
      });
    }
  }
}

function noRuns(): never {
  throw new Error('The harness publishes no runs.');
}

interface Reading {
  readonly channel: string;
  resolve(page: HistoryPage): void;
  reject(error: ProtocolError): void;
}

interface Waiting {
  resolve(position: Position): void;
  reject(error: ProtocolError): void;
}
