/** What a protocol needs of a connection. */
export interface Wire {
  /** Sends a frame as it is. */
  write(frame: Uint8Array): void;
  /** What is left of a stream whose last line is not whole yet; for protocols that are streams. */
  tail: Buffer | undefined;
}

/** What a protocol tells of what it read. */
export interface ProtocolEvents<W extends Wire> {
  /** What was asked last, the hello or the join, is confirmed. */
  confirmed(wire: W): void;
  /** A message whose payload is `bytes[start..end)`. */
  delivered(wire: W, bytes: Uint8Array, start: number, end: number): void;
  /** The server said no to something. */
  refused(wire: W, reason: string): void;
  /** What the server says is not the protocol; the connection is of no use any more. */
  broken(wire: W, reason: string): void;
}

/** A frame to publish with, and where in it the payload begins. */
export interface PublishFrame {
  readonly frame: Buffer;
  readonly payloadStart: number;
}

/** How one kind of server is spoken to over a WebSocket. It keeps no state but `Wire.tail`. */
export interface Protocol {
  /** What to ask for where the URL names no path. */
  readonly defaultPath: string;
  /** Frames are pieces of one stream of bytes, and not messages. */
  readonly stream: boolean;
  /** Whether the server must confirm a connection before anything else. */
  readonly confirmsHello: boolean;
  /** What the client says first; undefined: nothing, or not before the server spoke. */
  hello(): Buffer | undefined;
  /** Asks to be a member of a group. */
  join(group: string): Buffer;
  /** A message to a group. `payload` is ASCII without quotes or backslashes. */
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

/** How much of what a server says is repeated in a complaint. */
export const REASON_CHARS_MAX = 200;

/** A part of what a server said, for people to read. */
export function reasonText(bytes: Uint8Array, start: number, end: number): string {
  const length = Math.min(end - start, REASON_CHARS_MAX);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8');
}
