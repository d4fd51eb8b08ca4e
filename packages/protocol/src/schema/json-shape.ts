import { JSON_DEPTH_MAX } from '../limits.ts';

/** A JSON object as `JSON.parse` makes it: its keys are the sender's, `__proto__` among them, so it is only read. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whatever JSON can say. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Whether the value is an object, and neither an array nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a parsed value can be handled and written back without harm: no deeper than JSON_DEPTH_MAX, no object of more
 * than `keysMax` keys, and no number like 1e400, which `JSON.parse` makes infinite and `JSON.stringify` turns into null.
 */
export function isBounded(value: unknown, keysMax: number, depthLeft: number = JSON_DEPTH_MAX): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depthLeft === 0) return false;
  const children: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (!Array.isArray(value) && children.length > keysMax) return false;
  return children.every((child) => isBounded(child, keysMax, depthLeft - 1));
}
