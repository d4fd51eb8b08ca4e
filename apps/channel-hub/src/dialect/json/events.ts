import {
  decodeText,
  encodeFrame,
  encodeText,
  groupOfChannel,
  native,
  ProtocolError,
} from '@groupcast/protocol';

/** Turns DELIVER frames into `event` frames of the JSON dialect, each once, however many sessions want it. */
export class JsonEvents {
  readonly #frameBytesMax: number;
  // Weak, so that an event lives as long as its publication does.
  readonly #encoded = new WeakMap<Uint8Array, Uint8Array>();

  /** `frameBytesMax`: the longest frame that peers are told to expect, in bytes. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** The frame to send; an `error` in place of an event that JSON makes too long to be sent. */
  encode(deliver: Uint8Array): Uint8Array {
    let frame = this.#encoded.get(deliver);
    if (frame === undefined) {
      frame = this.#encode(deliver);
      this.#encoded.set(deliver, frame);
    }
    return frame;
  }

  #encode(deliver: Uint8Array): Uint8Array {
    const publication = native.decodePublication(deliver);
    const frame = encodeFrame(encodeText(eventText(publication)));
    if (frame.length <= this.#frameBytesMax) return frame;
    const sentence = `Publication ${publication.number} of channel ${JSON.stringify(publication.channel)} is longer as JSON than the ${this.#frameBytesMax} bytes of a frame.`;
    return encodeFrame(encodeText(errorText(undefined, new ProtocolError('bad_length', sentence))));
  }
}

/** The body of an `error`. */
export function errorText(id: string | number | undefined, error: ProtocolError): string {
  return JSON.stringify({ type: 'error', id, code: error.code, message: error.message });
}

/** A channel by its name, and where it is a group's, the group by its own. */
export function namesOf(channel: string): { readonly channel: string; readonly group?: string } {
  const group = groupOfChannel(channel);
  return group === undefined ? { channel } : { channel, group };
}

function eventText(publication: native.Publication): string {
  const names = JSON.stringify(namesOf(publication.channel)).slice(1, -1);
  return `{"type":"event",${names},${publicationFields(publication)}}`;
}

/** What a publication is beside its channel, as members of an object. */
export function publicationFields(publication: native.Publication): string {
  const { number, sender, messageId } = publication;
  let text = `"offset":${number},${dataField(publication)}`;
  if (sender !== '') text += `,"sender":${JSON.stringify(sender)}`;
  if (messageId !== '') text += `,"message_id":${JSON.stringify(messageId)}`;
  return text;
}

/** `"data":…`, or `"data_base64":…` for what is neither text nor JSON. */
export function dataField({ kind, payload }: Pick<native.Publication, 'kind' | 'payload'>): string {
  const text = kind === 'bytes' ? undefined : textOf(payload);
  if (text !== undefined && kind === 'text') return `"data":${JSON.stringify(text)}`;
  // As the publisher wrote it: to write it anew would turn 1.0 into 1 and lose digits of long numbers.
  if (text !== undefined && isJson(text)) return `"data":${text}`;
  return `"data_base64":"${Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('base64')}"`;
}

function textOf(payload: Uint8Array): string | undefined {
  try {
    return decodeText(payload);
  } catch {
    // A publisher's flag is only a claim: these bytes travel as bytes.
    return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Spliced in, it would break the event around it.
    return false;
  }
}
