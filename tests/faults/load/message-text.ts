import { crc32 } from 'node:zlib';

/**
 * Writes the text of a message: its id, a checksum over the rest, and padding to about `bytes`
 * bytes.
 */
export function writeMessage(id: string, bytes: number): string {
  const padding = 'x'.repeat(Math.max(0, bytes - id.length - 10));
  return `${id} ${checksum(id, padding)} ${padding}`;
}

export interface ReadMessage {
  readonly id: string;
  readonly intact: boolean;
}

/** Reads a text of `writeMessage`. Any other text has an unknown id, and is not intact. */
export function readMessage(text: unknown): ReadMessage {
  const [id = '', sum = '', padding = ''] = typeof text === 'string' ? text.split(' ') : [];
  return { id, intact: sum === checksum(id, padding) };
}

function checksum(id: string, padding: string): string {
  return crc32(`${id} ${padding}`).toString(16).padStart(8, '0');
}
