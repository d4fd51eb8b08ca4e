import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Link, type LinkOptions, type LinkReceiver } from '@groupcast/link';
import { limits, native, type Position } from '@groupcast/protocol';

const EPOCH = 'warm-up';

/**
 * A hub within the process, for a gateway that warms up. It returns each publication to its
 * publisher and keeps nothing.
 */
export class EchoHub {
  readonly #server: Server;
  readonly #link: Partial<LinkOptions>;
  readonly #links = new Set<Link>();
  /** Offset of the last publication of each channel. */
  readonly #offsets = new Map<string, number>();

  /** Accepts peers on a free port of this machine. */
  static async listen(link: Partial<LinkOptions>): Promise<EchoHub> {
    const hub = new EchoHub(link);
    // Not a port of the cluster module.
    hub.#server.listen({ host: '127.0.0.1', port: 0, exclusive: true });
    await once(hub.#server, 'listening');
    return hub;
  }

  private constructor(link: Partial<LinkOptions>) {
    this.#link = link;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const link of this.#links) link.destroy();
  }

  #accept(socket: Socket): void {
    const receiver: LinkReceiver = {
      receiveSpan: (bytes, start, end) => {
        this.#receive(link, bytes.subarray(start, end));
        return end - start;
      },
      closed: () => this.#links.delete(link),
    };
    const link = new Link(socket, receiver, this.#link);
    this.#links.add(link);
  }

  #receive(link: Link, frame: Uint8Array): void {
    const message = native.decodeNative(frame);
    if (message.type === 'publish') this.#echo(link, frame, message.publication);
    else if (message.type === 'subscribe') this.#subscribe(link, message);
    else if (message.type === 'hello') link.send(native.encodeWelcome(WELCOME));
  }

  #subscribe(link: Link, { request, subjects }: native.Subscribe): void {
    const entries = subjects.map((subject) => ({ ...subject, position: this.#positionOf(subject.name) }));
    link.send(native.encodeSubscribed({ request, entries }));
  }

  #echo(link: Link, frame: Uint8Array, { channel, number }: native.Publication): void {
    const offset = this.#positionOf(channel).offset + 1;
    this.#offsets.set(channel, offset);
    native.turnIntoDeliver(frame, offset, Date.now());
    link.send(frame);
    if (number !== 0)
      link.send(native.encodePublished({ request: number, position: this.#positionOf(channel) }));
  }

  #positionOf(channel: string): Position {
    return { epoch: EPOCH, offset: this.#offsets.get(channel) ?? 0 };
  }
}

const WELCOME = {
  version: native.NATIVE_VERSION,
  heartbeatMs: 60_000,
  frameBytesMax: limits.FRAME_BYTES_MAX,
} as const;
