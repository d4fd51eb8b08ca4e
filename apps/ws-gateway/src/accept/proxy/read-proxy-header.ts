import { INCOMPLETE, invalid, type ProxyHeader } from './proxy-header.ts';
import { readHeaderV1, SIGNATURE_V1 } from './proxy-header-v1.ts';
import { readHeaderV2, SIGNATURE_V2 } from './proxy-header-v2.ts';

/**
 * Reads the header of the PROXY protocol with which `bytes`, all that a proxy has sent so far, must
 * begin. HAProxy defines it: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (isBeginningOf(bytes, SIGNATURE_V1)) {
    return bytes.length < SIGNATURE_V1.length ? INCOMPLETE : readHeaderV1(bytes);
  }
  if (isBeginningOf(bytes, SIGNATURE_V2)) {
    return bytes.length < SIGNATURE_V2.length ? INCOMPLETE : readHeaderV2(bytes);
  }
  return invalid('The connection does not begin with a PROXY header.');
}

/** Returns whether the bytes are those of the signature, as far as both go. */
function isBeginningOf(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}
