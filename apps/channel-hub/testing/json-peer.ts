import { Link, type LinkReceiver } from '@groupcast/link';
import { decodeText, encodeFrame, encodeText } from '@groupcast/protocol';
import { type HubJsonReply, hubJsonReply } from '@groupcast/protocol/schema';
import { Inbox } from './inbox.ts';
import { connectRaw } from './raw-peer.ts';

type ReplyOf<Type extends HubJsonReply['type']> = Extract<HubJsonReply, { type: Type }>;

/** A peer of the JSON dialect. Checks all frames of the hub against the schema. */
export class JsonPeer implements LinkReceiver {
  readonly inbox: Inbox<HubJsonReply> = new Inbox();
  /** The bodies as received. */
  readonly texts: string[] = [];
  readonly link: Link;

  private constructor(link: (receiver: LinkReceiver) => Link) {
    this.link = link(this);
  }

  static async connect(port: number, host?: string): Promise<JsonPeer> {
    const socket = await connectRaw(port, host);
    return new JsonPeer((receiver) => new Link(socket, receiver));
  }

  send(request: object): void {
    this.sendText(JSON.stringify(request));
  }

  sendText(text: string): void {
    this.link.send(encodeFrame(encodeText(text)));
  }

  take<Type extends HubJsonReply['type']>(type: Type): Promise<ReplyOf<Type>> {
    return this.inbox.take((reply): reply is ReplyOf<Type> => reply.type === type);
  }

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    const text = decodeText(bytes.subarray(start + 4, end));
    this.texts.push(text);
    this.inbox.push(hubJsonReply.parse(JSON.parse(text)));
    return end - start;
  }

  closed(end: string): void {
    this.inbox.end(`The link has ended: ${end}.`);
  }
}
