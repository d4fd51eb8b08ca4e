import type { TestProcess } from '@groupcast/testkit';

/**
 * Returns the next `count` events of a subscriber, as it printed them: serialized data in hex, or
 * their md5.
 */
export async function takeEvents(child: TestProcess, event: string, count: number): Promise<string[]> {
  const prefix = `event ${event} `;
  const data: string[] = [];
  while (data.length < count) {
    data.push((await child.lines.next((line) => line.startsWith(prefix))).slice(prefix.length));
  }
  return data;
}

/** Decodes hex output, byte for byte. */
export function bytesOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}

/** Returns PHP's serialization of a string: its length is in bytes. */
function serializedText(text: string): string {
  const bytes = Buffer.from(text);
  return `s:${bytes.length}:"${bytes.toString('latin1')}";`;
}

/** Returns PHP's serialization of `['group_id' => …, 'message' => …]`. */
export function serializedMessage(group: string, message: string): string {
  const parts = ['group_id', group, 'message', message].map(serializedText);
  return `a:2:{${parts.join('')}}`;
}
