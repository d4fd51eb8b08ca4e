import { php } from '@groupcast/protocol';
import type { ProxyDirection } from '@groupcast/testkit';

const HEADER_BYTES = 4;
/** Output of `serialize(['type' => …, 'channel' => …, 'data' => …])`, one character per byte. */
const DELIVERY = /^a:3:\{s:4:"type";s:5:"(event|queue)";s:7:"channel";s:\d+:"(.*?)";s:4:"data";.+\}$/s;

/** The traffic of one PHP worker, with the frames that the worker did not ask for. */
export class Capture {
  /** Frames that would have ended the worker. */
  readonly unasked: string[] = [];
  events = 0;
  items = 0;
  readonly #begun: Record<ProxyDirection, Buffer> = { up: Buffer.alloc(0), down: Buffer.alloc(0) };
  readonly #subscribed = new Set<string>();
  readonly #watched = new Set<string>();
  /** Items that were requested and have not arrived. */
  #reserved = 0;

  /** Bytes of an incomplete frame from the hub. */
  get unfinishedBytes(): number {
    return this.#begun.down.length;
  }

  pass(direction: ProxyDirection, bytes: Buffer): void {
    let begun = Buffer.concat([this.#begun[direction], bytes]);
    while (begun.length >= HEADER_BYTES) {
      const length = begun.readUInt32BE(0);
      if (direction === 'down' && length < HEADER_BYTES) this.unasked.push(`a frame of length ${length}`);
      if (length < HEADER_BYTES || begun.length < length) break;
      const body = begun.subarray(HEADER_BYTES, length);
      if (direction === 'up') this.#ask(body);
      else this.#check(body.toString('latin1'));
      begun = begun.subarray(length);
    }
    this.#begun[direction] = begun;
  }

  #ask(body: Buffer): void {
    if (body.length === 0) return;
    const request = php.readRequest(body);
    if (request.type === 'reserve') {
      this.#reserved += 1;
      return;
    }
    const names = request.names.take(request.names.left);
    if (request.type === 'subscribe') for (const event of names) this.#subscribed.add(event);
    else if (request.type === 'unsubscribe') for (const event of names) this.#subscribed.delete(event);
    else if (request.type === 'watch') for (const queue of names) this.#watched.add(queue);
    else if (request.type === 'unwatch') for (const queue of names) this.#watched.delete(queue);
  }

  #check(body: string): void {
    const [, type, channel = ''] = DELIVERY.exec(body) ?? [];
    if (type === 'event' && this.#subscribed.has(channel)) {
      this.events += 1;
    } else if (type === 'queue' && this.#watched.has(channel) && this.#reserved > 0) {
      this.items += 1;
      this.#reserved -= 1;
    } else {
      this.unasked.push(body);
    }
  }
}
