import { readFileSync } from 'node:fs';

/**
 * One line of a golden file: bytes as `hex` or `text`, and their meaning (`message`) or error
 * (`error`).
 */
export interface Vector<Message> {
  readonly name: string;
  readonly hex: string;
  readonly text: string;
  readonly message: Message;
  readonly error: string;
}

/** Reads a file of `golden/`. */
export function readGolden<Content>(file: string): Content {
  return JSON.parse(readFileSync(new URL(`../golden/${file}`, import.meta.url), 'utf8'));
}

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const BYTE_FIELDS: ReadonlySet<string> = new Set(['nonce', 'proof', 'otherProof', 'payload']);

/** Returns the native message of a golden line: snake case to camel case, hex digits to bytes. */
export function fromGolden(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => fromGolden(item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [camelCase(key), fromGolden(item, key)]),
    );
  }
  // JSON has no undefined.
  if (value === null) return undefined;
  return typeof value === 'string' && BYTE_FIELDS.has(field) ? bytesOf(value) : value;
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
