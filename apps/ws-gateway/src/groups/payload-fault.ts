import { isUtf8 } from 'node:buffer';
import type { native } from '@groupcast/protocol';

/**
 * Returns the fault for which clients do not get a publication. Invalid UTF-8 would make every
 * client close (RFC 6455, section 8.1). Invalid JSON would break the event that contains it.
 */
export function payloadFault(publication: native.Publication): 'not_utf8' | 'not_json' | undefined {
  const { payload } = publication;
  if (!isUtf8(payload)) return 'not_utf8';
  if (publication.kind !== 'json') return undefined;
  try {
    JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString());
    return undefined;
  } catch {
    return 'not_json';
  }
}
