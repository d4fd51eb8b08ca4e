import type { TestProcess } from '@groupcast/testkit';

/** The next so many events of a subscriber, each as it says it: the serialized data in hex, or their md5. */
export async function takeEvents(child: TestProcess, event: string, count: number): Promise<string[]> {
  const prefix = `event ${event} `;
  const data: string[] = [];
  while (data.length < count) {
    data.push((await child.lines.next((line) => line.startsWith(prefix))).slice(prefix.length));
  }
  return data;
}

/** What was said in hex, byte for byte. */
export function bytesOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}

/** What PHP's serialize writes for a string: its length is in bytes. */
function serializedText(text: string): string {
  const bytes = Buffer.from(text);
  return `s:${bytes.length}:"${bytes.toString('latin1')}";`;
}

/** What PHP's serialize writes for `['group_id' => …, 'message' => …]`. */
export function serializedMessage(group: string, message: string): string {
  const parts = ['group_id', group, 'message', message].map(serializedText);
  return `a:2:{${parts.join('')}}`;
}
