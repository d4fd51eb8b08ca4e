import { blankPayload, stampPayload } from '../payload.ts';
import type { Protocol, PublishFrame } from '../protocols/protocol.ts';
import type { Connection } from './connection.ts';

/** Publishes to groups, and counts its messages per group. */
export class Publisher {
  readonly #protocol: Protocol;
  readonly #groupName: (group: number) => string;
  readonly #bytes: number;
  readonly #connectionOf: (group: number) => Connection | undefined;
  readonly #frames = new Map<number, PublishFrame>();
  readonly #published = new Map<number, number>();

  constructor(
    protocol: Protocol,
    groupName: (group: number) => string,
    bytes: number,
    connectionOf: (group: number) => Connection | undefined,
  ) {
    this.#protocol = protocol;
    this.#groupName = groupName;
    this.#bytes = bytes;
    this.#connectionOf = connectionOf;
  }

  /** Pairs of a group and its number of messages. */
  get published(): [group: number, count: number][] {
    return [...this.#published];
  }

  /**
   * Sends the group's next message, stamped with `sentUs`. Returns the bytes that are buffered in
   * its connection.
   */
  publish(group: number, sentUs: number): number {
    const sequence = this.#published.get(group) ?? 0;
    const { frame: blank, payloadStart } = this.#frame(group);
    // A copy: the socket still reads bytes that it could not write at once.
    const frame = Buffer.from(blank);
    stampPayload(frame, payloadStart, sequence, sentUs);
    this.#published.set(group, sequence + 1);
    const connection = this.#connectionOf(group);
    connection?.write(frame);
    return connection?.pendingBytes ?? 0;
  }

  #frame(group: number): PublishFrame {
    let frame = this.#frames.get(group);
    if (frame === undefined) {
      frame = this.#protocol.publish(this.#groupName(group), blankPayload(group, this.#bytes));
      this.#frames.set(group, frame);
    }
    return frame;
  }
}
