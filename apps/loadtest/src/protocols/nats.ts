import { clientFrameHeadBytes, encodeClientFrame, OPCODE } from '../wire/client-frame.ts';
import { type Protocol, type ProtocolEvents, REASON_CHARS_MAX, reasonText, type Wire } from './protocol.ts';

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const LETTER_M = 0x4d;
const LETTER_P = 0x50;
const LETTER_I = 0x49;
const LETTER_O = 0x4f;
const PLUS = 0x2b;
const LINE_END = '\r\n';
const PONG_FRAME = encodeClientFrame(OPCODE.binary, 'PONG\r\n');

/** Longest line, that of INFO; a server that sends a longer one is not NATS. */
const LINE_BYTES_MAX = 1024 * 1024;

/** NATS over WebSocket. The server's PONG confirms all earlier commands. */
export const nats: Protocol = {
  defaultPath: '/',
  stream: true,
  confirmsHello: true,
  hello: () => {
    const options = {
      verbose: false,
      pedantic: false,
      lang: 'groupcast-loadtest',
      version: '1',
      protocol: 1,
    };
    return encodeClientFrame(OPCODE.binary, `CONNECT ${JSON.stringify(options)}\r\nPING\r\n`);
  },
  join: (group) => encodeClientFrame(OPCODE.binary, `SUB ${group} 1\r\nPING\r\n`),
  publish: (group, payload) => {
    const head = `PUB ${group} ${payload.length}\r\n`;
    const text = `${head}${payload}\r\n`;
    const frame = encodeClientFrame(OPCODE.binary, text);
    return { frame, payloadStart: clientFrameHeadBytes(text.length) + head.length };
  },
  receive: (wire, events, bytes, start, end) => {
    if (wire.tail === undefined) {
      keepTail(wire, bytes, readLines(wire, events, bytes, start, end), end);
      return;
    }
    const joined = Buffer.concat([wire.tail, bytes.subarray(start, end)]);
    wire.tail = undefined;
    keepTail(wire, joined, readLines(wire, events, joined, 0, joined.length), joined.length);
  },
};

/** Copies an incomplete line or message. */
function keepTail(wire: Wire, bytes: Uint8Array, from: number, end: number): void {
  wire.tail = from < end ? Buffer.from(bytes.subarray(from, end)) : undefined;
}

/** Reads all complete messages; returns where it stopped. */
function readLines<W extends Wire>(
  wire: W,
  events: ProtocolEvents<W>,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let at = start;
  while (at < end) {
    const feed = bytes.indexOf(LINE_FEED, at);
    if (feed < 0 || feed >= end) {
      if (end - at <= LINE_BYTES_MAX) return at;
      events.broken(wire, 'the server sent a line without an end');
      return end;
    }
    if (bytes[at] === LETTER_M) {
      const payloadStart = feed + 1;
      const size = lastNumber(bytes, feed - 2);
      if (!(size >= 0 && size <= MESSAGE_BYTES_MAX)) {
        events.broken(wire, `the server sent a message of ${size} bytes`);
        return end;
      }
      const payloadEnd = payloadStart + size;
      if (payloadEnd + LINE_END.length > end) return at;
      events.delivered(wire, bytes, payloadStart, payloadEnd);
      at = payloadEnd + LINE_END.length;
    } else {
      readLine(wire, events, bytes, at, feed);
      at = feed + 1;
    }
  }
  return at;
}

/** INFO, PING, PONG, +OK or -ERR. */
function readLine<W extends Wire>(
  wire: W,
  events: ProtocolEvents<W>,
  bytes: Uint8Array,
  start: number,
  feed: number,
): void {
  const first = bytes[start];
  if (first === LETTER_P && bytes[start + 1] === LETTER_O) events.confirmed(wire);
  else if (first === LETTER_P && bytes[start + 1] === LETTER_I) wire.write(PONG_FRAME);
  else if (first !== LETTER_I && first !== PLUS)
    events.refused(wire, reasonText(bytes, start, Math.min(feed, start + REASON_CHARS_MAX)));
}

/** Limit of a published message: 1 MiB. */
const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Parses the number whose last digit is at `last`: a message's length is at the end of its line.
 */
function lastNumber(bytes: Uint8Array, last: number): number {
  let value = 0;
  let weight = 1;
  for (let at = last; bytes[at] !== SPACE && at >= 0; at--) {
    value += ((bytes[at] ?? 0) - 0x30) * weight;
    weight *= 10;
  }
  return value;
}
