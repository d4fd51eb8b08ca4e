import {
  decodeText,
  encodeFrame,
  encodeText,
  groupOfChannel,
  native,
  ProtocolError,
} from '@groupcast/protocol';

/** Turns DELIVER frames into `event` frames of the JSON dialect: each once for all JSON peers. */
export class JsonEvents {
  readonly #frameBytesMax: number;
  // Weak, so that an event lives as long as its publication.
  readonly #encoded = new WeakMap<Uint8Array, Uint8Array>();

  /** `frameBytesMax`: limit of a frame to a peer, in bytes. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Returns the frame to send: an `error` if the event is longer than a frame may be. */
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
    const frame = textFrame(eventText(publication));
    if (frame.length <= this.#frameBytesMax) return frame;
    const sentence = tooLongAsJson(publication, this.#frameBytesMax);
    return textFrame(errorText(undefined, new ProtocolError('bad_length', sentence)));
  }
}

export function textFrame(text: string): Uint8Array {
  return encodeFrame(encodeText(text));
}

/** Returns the body of an `error`. */
export function errorText(id: string | number | undefined, error: ProtocolError): string {
  return JSON.stringify({ type: 'error', id, code: error.code, message: error.message });
}

/** Returns the message for a publication whose JSON does not fit a frame. */
export function tooLongAsJson({ number, channel }: native.Publication, frameBytesMax: number): string {
  return `Publication ${number} of channel ${JSON.stringify(channel)} is longer as JSON than the limit of ${frameBytesMax} bytes per frame.`;
}

/** Returns a channel by its name, and for the channel of a group the group's name too. */
export function namesOf(channel: string): { readonly channel: string; readonly group?: string } {
  const group = groupOfChannel(channel);
  return group === undefined ? { channel } : { channel, group };
}

function eventText(publication: native.Publication): string {
  const names = JSON.stringify(namesOf(publication.channel)).slice(1, -1);
  return `{"type":"event",${names},${publicationFields(publication)}}`;
}

/** Returns the fields of a publication without its channel, as members of a JSON object. */
export function publicationFields(publication: native.Publication): string {
  const { number, timeMs, sender, messageId, meta, keyed, ephemeral } = publication;
  let text = `"offset":${number},"time":${timeMs},${dataField(publication)}`;
  if (sender !== '') text += `,"sender":${JSON.stringify(sender)}`;
  if (messageId !== '') text += `,"message_id":${JSON.stringify(messageId)}`;
  if (meta !== '') text += `,"meta":${isJsonObject(meta) ? meta : JSON.stringify(meta)}`;
  if (keyed !== undefined) text += `,"key":${JSON.stringify(keyed.key)}`;
  if (keyed !== undefined && keyed.lifeMs > 0) text += `,"life_ms":${keyed.lifeMs}`;
  return ephemeral ? `${text},"store":false` : text;
}

/** Returns `"data":…`, or `"data_base64":…` for a payload that is neither text nor JSON. */
export function dataField({ kind, payload }: Pick<native.Publication, 'kind' | 'payload'>): string {
  const text = kind === 'bytes' ? undefined : textOf(payload);
  if (text !== undefined && kind === 'text') return `"data":${JSON.stringify(text)}`;
  // As the publisher wrote it: another spelling would turn 1.0 into 1 and lose digits of numbers.
  if (text !== undefined && isJson(text)) return `"data":${text}`;
  return `"data_base64":"${Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('base64')}"`;
}

function textOf(payload: Uint8Array): string | undefined {
  try {
    return decodeText(payload);
  } catch {
    // The publisher's flag is only a claim: these bytes travel as bytes.
    return undefined;
  }
}

function isJson(text: string): boolean {
  return parsedOf(text) !== undefined;
}

function isJsonObject(text: string): boolean {
  const value = parsedOf(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Invalid JSON would break the event around it.
    return undefined;
  }
}
