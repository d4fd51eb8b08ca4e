import { encodeText, native, type Position, type ProtocolError } from '@groupcast/protocol';
import { onTestFinished } from 'vitest';
import type { Engine, EngineSink, PublishSlot } from '../engine/engine.ts';

/** A publication that uses every field. */
export function publicationOf(channel: string, text: string): native.Publication {
  const payload = encodeText(text);
  return { channel, kind: 'text', excludeSender: true, sender: 'me', messageId: 'm1', payload, number: 7 };
}

/** The payload of a DELIVER. */
export function textOf(frame: Uint8Array): string {
  return Buffer.from(native.decodePublication(frame).payload).toString();
}

/** An engine for one test, which closes it. */
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
export class Harness implements EngineSink, PublishSlot {
  readonly deliveries: Delivery[] = [];
  readonly answeredRequests: number[] = [];
  /** Answers to `follow` and deliveries, as they came. */
  readonly events: string[] = [];
  readonly #engine: Engine;
  readonly #waiting = new Map<number, Waiting>();
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

  stats(): object {
    return this.#engine.stats();
  }

  publish(channel: string, text: string): Promise<Position> {
    const publication = publicationOf(channel, text);
    return this.publishFrame(publication, native.encodePublish(publication));
  }

  publishFrame(publication: native.Publication, frame: Uint8Array): Promise<Position> {
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      this.submit(publication, frame, request);
    });
  }

  submit(publication: native.Publication, frame: Uint8Array, request: number): void {
    this.#engine.publish(publication, frame, this, request);
  }

  follow(subject: native.Subject): Promise<Position> {
    return new Promise((resolve, reject) => {
      const followed = (position: Position): void => {
        this.events.push(`followed ${subject.name}`);
        resolve(position);
      };
      this.#engine.follow(subject, { followed, notFollowed: reject });
    });
  }

  /** When it has taken effect, which the answer to a later call shows. */
  async unfollow(subject: native.Subject): Promise<void> {
    this.#engine.unfollow(subject);
    await this.publish('witness', '');
  }

  published(request: number, position: Position): void {
    this.answeredRequests.push(request);
    this.#waiting.get(request)?.resolve(position);
  }

  refused(request: number, error: ProtocolError): void {
    this.answeredRequests.push(request);
    this.#waiting.get(request)?.reject(error);
  }

  deliver(channel: string, offset: number, frame: Uint8Array): void {
    const delivery = { channel, offset, frame };
    this.deliveries.push(delivery);
    this.events.push(`deliver ${channel} ${offset}`);
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

interface Waiting {
  resolve(position: Position): void;
  reject(error: ProtocolError): void;
}
