import { JSON_DEPTH_MAX, JSON_KEYS_MAX } from '../limits.ts';

/** A JSON object as `JSON.parse` makes it: its keys are the sender's, `__proto__` among them, so it is only read. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether the value is an object, no array, within the limits of depth and keys. */
export function isBoundedObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && isBounded(value, JSON_DEPTH_MAX)
  );
}

function isBounded(value: unknown, depthLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depthLeft === 0) return false;
  const children: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (!Array.isArray(value) && children.length > JSON_KEYS_MAX) return false;
  return children.every((child) => isBounded(child, depthLeft - 1));
}
