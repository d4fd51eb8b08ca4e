import { encodeFrame, encodeText, limits, native, php } from '@groupcast/protocol';

/**
 * The protocol of a hub, as the bytes of a load: all messages of one load have the same length. A
 * counter returns the length of the message at a position, `undefined` when it needs more bytes,
 * and a negative number for anything that is no message.
 */
export interface HubWire {
  readonly name: string;
  /** First bytes of a connection. */
  hello(): Uint8Array;
  subscribe(channels: readonly string[]): Uint8Array;
  publish(channel: string, payload: Uint8Array): Uint8Array;
  lengthAt(bytes: Buffer, at: number, end: number): number | undefined;
  /** Bytes after the payload. */
  readonly tailBytes: number;
  /** Request that must be answered to keep the connection, and its answer. */
  readonly ping?: { readonly asks: string; readonly answer: Uint8Array };
}

const LENGTH_BYTES = 4;
const OPCODE_DELIVER = 0x09;
/** Position of the length of the first text in an array of RESP, and its value for `subscribe`. */
const KIND_AT = 5;
const DIGIT_9 = 0x39;

/** Returns the native dialect of this project's hub, by the codec of one of its checkouts. */
export function nativeWire(codec: Pick<typeof native, NativeEncoder>): HubWire {
  const nonce = new Uint8Array(limits.NONCE_BYTES);
  const fields = { kind: 'text', excludeSender: false, sender: '', messageId: '', number: 0 } as const;
  return {
    name: 'groupcast hub',
    hello: () => codec.encodeHello({ version: native.NATIVE_VERSION, nonce, name: 'bench' }),
    subscribe: (channels) =>
      codec.encodeSubscribe({ request: 1, subjects: channels.map((name) => ({ name, prefix: false })) }),
    publish: (channel, payload) => codec.encodePublish({ channel, payload, ...fields }),
    lengthAt: (bytes, at, end) => {
      if (end - at <= LENGTH_BYTES) return undefined;
      const length = bytes.readUInt32BE(at);
      return bytes[at + LENGTH_BYTES] === OPCODE_DELIVER ? length : -length;
    },
    tailBytes: 0,
  };
}

type NativeEncoder = 'encodeHello' | 'encodeSubscribe' | 'encodePublish';

/** The native dialect of the hub of this checkout. */
export const NATIVE: HubWire = nativeWire(native);

/** The protocol of PHP's `Channel\Client` with the same hub, with strings as data. */
export const PHP: HubWire = {
  name: 'groupcast hub, PHP',
  hello: () => new Uint8Array(0),
  subscribe: (channels) => phpRequest({ type: 'subscribe', channels: php.PhpArray.list(channels) }),
  publish: (channel, payload) =>
    phpRequest({ type: 'publish', channels: php.PhpArray.list([channel]), data: payload }),
  // The hub sends it only events.
  lengthAt: (bytes, at, end) => (end - at < LENGTH_BYTES ? undefined : bytes.readUInt32BE(at)),
  // The end of the string, and that of the array.
  tailBytes: encodeText('";}').length,
};

/** Redis publish and subscribe (RESP 2). */
export const REDIS: HubWire = {
  name: 'redis pub/sub',
  hello: () => new Uint8Array(0),
  subscribe: (channels) => resp(['SUBSCRIBE', ...channels]),
  publish: (channel, payload) => resp(['PUBLISH', channel, Buffer.from(payload).toString('latin1')]),
  lengthAt: (bytes, at, end) => {
    // `*3 $7 message $n channel $n payload`, or `*3 $9 subscribe $n channel :count`: 7 or 6 lines.
    const isSubscribe = end - at > KIND_AT && bytes[at + KIND_AT] === DIGIT_9;
    const next = linesEnd(bytes, at, end, isSubscribe ? 6 : 7);
    if (next === undefined) return undefined;
    return isSubscribe ? at - next : next - at;
  },
  tailBytes: 2,
};

/** NATS core. */
export const NATS: HubWire = {
  name: 'nats core',
  hello: () => Buffer.from('CONNECT {"verbose":false,"pedantic":false}\r\n'),
  subscribe: (channels) =>
    Buffer.from(channels.map((channel, index) => `SUB ${channel} ${1_000 + index}\r\n`).join('')),
  publish: (channel, payload) =>
    Buffer.concat([Buffer.from(`PUB ${channel} ${payload.length}\r\n`), payload, Buffer.from('\r\n')]),
  lengthAt: (bytes, at, end) => {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1') + 2;
    if (lineEnd < 2 || lineEnd > end) return undefined;
    if (bytes[at] !== 0x4d) return at - lineEnd;
    const payloadBytes = Number(bytes.toString('latin1', bytes.lastIndexOf(0x20, lineEnd), lineEnd - 2));
    const length = lineEnd - at + payloadBytes + 2;
    return at + length <= end ? length : undefined;
  },
  tailBytes: 2,
  ping: { asks: 'PING\r\n', answer: Buffer.from('PONG\r\n') },
};

function phpRequest(fields: Readonly<Record<string, php.PhpValue>>): Uint8Array {
  const request = new php.PhpArray();
  for (const [key, value] of Object.entries(fields)) request.set(key, value);
  return encodeFrame(php.encodePhp(request));
}

function resp(parts: readonly string[]): Uint8Array {
  const body = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('');
  return Buffer.from(`*${parts.length}\r\n${body}`, 'latin1');
}

/** Returns the position behind `count` lines. */
function linesEnd(bytes: Buffer, at: number, end: number, lines: number): number | undefined {
  let next = at;
  for (let line = 0; line < lines; line++) {
    next = bytes.indexOf('\r\n', next, 'latin1') + 2;
    if (next < 2 || next > end) return undefined;
  }
  return next;
}
