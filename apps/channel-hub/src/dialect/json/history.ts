import { limits, native, ProtocolError, utf8ByteLength } from '@groupcast/protocol';
import type { HistoryPage, HistorySlot } from '../../engine/engine.ts';
import { publicationFields } from './events.ts';

/** Takes the answer to a `history`. */
export interface JsonHistoryOutcome {
  /** `text` is the body of the reply. */
  historyRead(text: string): void;
  refused(id: string | number, error: ProtocolError): void;
}

/** One `history` of the JSON dialect: a page of the engine's, as far as the peer's limit and a frame go. */
export class JsonHistory implements HistorySlot {
  readonly #id: string | number;
  readonly #messagesMax: number;
  readonly #frameBytesMax: number;
  readonly #outcome: JsonHistoryOutcome;

  constructor(id: string | number, messagesMax: number, frameBytesMax: number, outcome: JsonHistoryOutcome) {
    this.#id = id;
    this.#messagesMax = messagesMax;
    this.#frameBytesMax = frameBytesMax;
    this.#outcome = outcome;
  }

  page(_request: number, { verdict, position, frames }: HistoryPage): void {
    const { epoch, offset } = position;
    const reply = { type: 'history', id: this.#id, verdict, epoch, offset };
    const head = `${JSON.stringify(reply).slice(0, -1)},"messages":[`;
    const messages: string[] = [];
    let bytesLeft = this.#frameBytesMax - limits.FRAME_HEADER_BYTES - utf8ByteLength(`${head}]}`);
    for (const frame of frames.slice(0, this.#messagesMax)) {
      const publication = native.decodePublication(frame);
      const message = `{${publicationFields(publication)}}`;
      // One byte more, of the comma.
      bytesLeft -= utf8ByteLength(message) + 1;
      if (bytesLeft < 0 && messages.length === 0) {
        const sentence = `Publication ${publication.number} is longer as JSON than the ${this.#frameBytesMax} bytes of a frame. Ask for what comes after it.`;
        this.#outcome.refused(this.#id, new ProtocolError('bad_length', sentence));
        return;
      }
      if (bytesLeft < 0) break;
      messages.push(message);
    }
    this.#outcome.historyRead(`${head}${messages.join()}]}`);
  }

  notRead(_request: number, error: ProtocolError): void {
    this.#outcome.refused(this.#id, error);
  }
}
