/** The connection, as a protocol uses it. */
export interface Wire {
  /** Sends a frame unchanged. */
  write(frame: Uint8Array): void;
  /** Rest of a stream whose last line is incomplete; for stream protocols. */
  tail: Buffer | undefined;
}

/** Events of a protocol. */
export interface ProtocolEvents<W extends Wire> {
  /** The last request, the hello or the join, is confirmed. */
  confirmed(wire: W): void;
  /** A message with the payload `bytes[start..end)`. */
  delivered(wire: W, bytes: Uint8Array, start: number, end: number): void;
  /** The server rejected a request. */
  refused(wire: W, reason: string): void;
  /** The server violates the protocol; the connection is unusable. */
  broken(wire: W, reason: string): void;
}

/** A frame to publish with, and the position of its payload. */
export interface PublishFrame {
  readonly frame: Buffer;
  readonly payloadStart: number;
}

/** The client side of a kind of server over a WebSocket. It keeps no state but `Wire.tail`. */
export interface Protocol {
  /** Path to request when the URL has none. */
  readonly defaultPath: string;
  /** Whether frames are pieces of one stream of bytes instead of messages. */
  readonly stream: boolean;
  /** Whether the server must confirm a connection before any request, as it does with a token. */
  readonly confirmsHello: boolean;
  /** First message of the client; undefined without one, or if the server speaks first. */
  hello(token: string | undefined): Buffer | undefined;
  /** Requests to join a group. */
  join(group: string): Buffer;
  /** Encodes a message to a group. `payload` is ASCII without quotes or backslashes. */
  publish(group: string, payload: string): PublishFrame;
  /** Reads a data frame's payload, `bytes[start..end)`. */
  receive<W extends Wire>(
    wire: W,
    events: ProtocolEvents<W>,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
}

/** Characters of a server's message that an error repeats. */
export const REASON_CHARS_MAX = 200;

/** Returns the beginning of a server's message, printable. */
export function reasonText(bytes: Uint8Array, start: number, end: number): string {
  const length = Math.min(end - start, REASON_CHARS_MAX);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8');
}
