import { encodeFrame, encodeText, FrameDecoder } from '@groupcast/protocol';
import { type JsonObject, RawSocket } from '@groupcast/testkit';

/** A peer of the hub for its JSON dialect, or for raw bytes. */
export class JsonPeer {
  readonly socket: RawSocket;

  private constructor(socket: RawSocket) {
    this.socket = socket;
  }

  static async open(port: number): Promise<JsonPeer> {
    return new JsonPeer(await RawSocket.open({ port }));
  }

  send(request: object): Promise<void> {
    return this.sendText(JSON.stringify(request));
  }

  sendText(text: string): Promise<void> {
    return this.socket.write(encodeFrame(encodeText(text)));
  }

  /** All data from the hub. */
  get replies(): JsonObject[] {
    return repliesIn(this.socket.received);
  }

  /** Resolves with the first reply that matches, received or still to come. */
  async reply(matches: (reply: JsonObject) => boolean): Promise<JsonObject> {
    const received = await this.socket.waitFor((bytes) => repliesIn(bytes).some(matches));
    return repliesIn(received).find(matches) ?? {};
  }
}

function repliesIn(bytes: Uint8Array): JsonObject[] {
  const replies: JsonObject[] = [];
  new FrameDecoder().push(bytes, (frame) =>
    replies.push(JSON.parse(Buffer.from(frame.subarray(4)).toString())),
  );
  return replies;
}
