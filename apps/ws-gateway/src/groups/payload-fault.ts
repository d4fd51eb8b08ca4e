import { isUtf8 } from 'node:buffer';
import type { native } from '@groupcast/protocol';

/**
 * What keeps a publication from clients. Text that is not UTF-8 would make every client that reads it close (RFC 6455,
 * section 8.1), and JSON that is none would break the envelope that it is put into.
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
