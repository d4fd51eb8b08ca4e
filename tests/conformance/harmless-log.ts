import { expect } from 'vitest';

const LINE_BYTES_MAX = 2_048;

/** Row W25: every line is one JSON object of limited size, without raw text of clients. */
export function expectHarmlessLog(stderr: string): void {
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Object.prototype of '));
  for (const line of lines) {
    expect(() => JSON.parse(line)).not.toThrow();
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(LINE_BYTES_MAX);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  expect(lines.join('')).not.toMatch(/[\x00-\x1f\x7f]|polluted/);
}
