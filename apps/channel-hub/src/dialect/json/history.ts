import { limits, native, ProtocolError, utf8ByteLength } from '@groupcast/protocol';
import type { HistoryPage, HistorySlot } from '../../engine/engine.ts';
import { publicationFields, tooLongAsJson } from './events.ts';
import type { JsonReplies } from './replies.ts';

/**
 * One `history` of the JSON dialect: a page of the engine, up to the peer's limit and one frame.
 */
export class JsonHistory implements HistorySlot {
  readonly #id: string | number;
  readonly #messagesMax: number;
  readonly #frameBytesMax: number;
  readonly #replies: JsonReplies;

  constructor(id: string | number, messagesMax: number, frameBytesMax: number, replies: JsonReplies) {
    this.#id = id;
    this.#messagesMax = messagesMax;
    this.#frameBytesMax = frameBytesMax;
    this.#replies = replies;
    replies.begin();
  }

  historyPage(_request: number, { verdict, position, frames }: HistoryPage): void {
    const { epoch, offset } = position;
    const reply = { type: 'history', id: this.#id, verdict, epoch, offset };
    const head = `${JSON.stringify(reply).slice(0, -1)},"messages":[`;
    const messages: string[] = [];
    let bytesLeft = this.#frameBytesMax - limits.FRAME_HEADER_BYTES - utf8ByteLength(`${head}]}`);
    for (const frame of frames.slice(0, this.#messagesMax)) {
      const publication = native.decodePublication(frame);
      const message = `{${publicationFields(publication)}}`;
      // One more byte, for the comma.
      bytesLeft -= utf8ByteLength(message) + 1;
      if (bytesLeft < 0 && messages.length === 0) {
        const sentence = `${tooLongAsJson(publication, this.#frameBytesMax)} Read after it.`;
        this.#replies.rejected(this.#id, new ProtocolError('bad_length', sentence));
        return;
      }
      if (bytesLeft < 0) break;
      messages.push(message);
    }
    this.#replies.historyRead(`${head}${messages.join()}]}`);
  }

  historyRejected(_request: number, error: ProtocolError): void {
    this.#replies.rejected(this.#id, error);
  }
}
