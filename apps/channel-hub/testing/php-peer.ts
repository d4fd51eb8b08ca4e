import { Link, type LinkReceiver } from '@groupcast/link';
import { encodeFrame, encodeText, php } from '@groupcast/protocol';
import { Inbox } from './inbox.ts';
import { connectRaw } from './raw-peer.ts';

/** The body of a frame to a PHP peer, as text with one character per byte. */
export interface PhpDelivery {
  readonly type: 'event' | 'queue';
  readonly channel: string;
  /** Serialized; each character is a byte. */
  readonly data: string;
}

/** A peer that speaks like `Channel\Client`. */
export class PhpPeer implements LinkReceiver {
  readonly inbox: Inbox<PhpDelivery> = new Inbox();
  readonly link: Link;

  private constructor(link: (receiver: LinkReceiver) => Link) {
    this.link = link(this);
  }

  static async connect(port: number): Promise<PhpPeer> {
    const socket = await connectRaw(port);
    return new PhpPeer((receiver) => new Link(socket, receiver));
  }

  /** `data`: a serialized value, as text or bytes. */
  send(type: string, channels: readonly (string | number)[] = [], data?: string | Uint8Array): void {
    const list = Buffer.from(php.encodePhp(php.PhpArray.list(channels)));
    const fields = data === undefined ? 2 : 3;
    this.sendBody(
      Buffer.concat([
        Buffer.from(`a:${fields}:{s:4:"type";s:${type.length}:"${type}";s:8:"channels";`),
        list,
        ...(data === undefined ? [] : [Buffer.from('s:4:"data";'), Buffer.from(data)]),
        Buffer.from('}'),
      ]),
    );
  }

  sendBody(body: string | Uint8Array): void {
    this.link.send(encodeFrame(typeof body === 'string' ? encodeText(body) : body));
  }

  take(): Promise<PhpDelivery> {
    return this.inbox.take((delivery): delivery is PhpDelivery => delivery !== undefined);
  }

  /** Resolves with the next data, of any channel. */
  async takeData(): Promise<string> {
    return (await this.take()).data;
  }

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    const body = Buffer.from(bytes.subarray(start + 4, end)).toString('latin1');
    const match =
      /^a:3:\{s:4:"type";s:5:"(event|queue)";s:7:"channel";s:\d+:"(.*?)";s:4:"data";(.*)\}$/s.exec(body);
    if (match === null) throw new Error(`A PHP peer got what it did not ask for: ${body}`);
    const [, type, channel = '', data = ''] = match;
    this.inbox.push({ type: type === 'queue' ? 'queue' : 'event', channel, data });
    return end - start;
  }

  closed(end: string): void {
    this.inbox.end(`The link has ended: ${end}.`);
  }
}
