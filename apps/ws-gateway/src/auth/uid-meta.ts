import { groupNameOf } from '@groupcast/protocol';
import type { Identity } from './identity.ts';

/** Meta of the publications of a user. */
export interface UidMeta {
  /** JSON object, as text. */
  readonly text: string;
  /** Bytes of the text. */
  readonly bytes: number;
}

const byIdentity = new WeakMap<Identity, UidMeta>();

/** Returns the meta of what a user publishes. Built once for each identity. */
export function metaOf(identity: Identity): UidMeta {
  let meta = byIdentity.get(identity);
  if (meta === undefined) {
    const text = JSON.stringify({ uid: identity.uid });
    meta = { text, bytes: Buffer.byteLength(text) };
    byIdentity.set(identity, meta);
  }
  return meta;
}

/**
 * Returns the uid in the meta of a publication. Any peer of the hub may have written the meta:
 * undefined where it is no JSON object, or its `uid` is no string with the rules of group names.
 */
export function uidOf(meta: string): string | undefined {
  try {
    const value: unknown = JSON.parse(meta);
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'uid')) return undefined;
    const { uid } = value as { readonly uid: unknown };
    return typeof uid === 'string' ? groupNameOf(uid) : undefined;
  } catch {
    // The text of another program, which is nothing to this one.
    return undefined;
  }
}
