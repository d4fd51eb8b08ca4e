import { isIP } from 'node:net';
import { canonicalAddress } from './ip-address.ts';
import { INCOMPLETE, invalid, type ProxyHeader } from './proxy-header.ts';

/** First bytes of a header of version 1. */
export const SIGNATURE_V1: Buffer = Buffer.from('PROXY ', 'latin1');

/** Longest header of version 1, in bytes, with the line end (section 2.1). */
const HEADER_BYTES_MAX = 107;

const PORT_MAX = 65_535;

// One space between fields.
const UNKNOWN_LINE = /^PROXY UNKNOWN(?: |$)/;
const TCP_LINE = /^PROXY TCP([46]) ([^ ]+) ([^ ]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;

/** Reads bytes that begin with `SIGNATURE_V1`: `PROXY TCP4 203.0.113.7 10.0.0.2 51234 443`. */
export function readHeaderV1(bytes: Buffer): ProxyHeader {
  const text = bytes.toString('latin1', 0, HEADER_BYTES_MAX);
  const end = text.indexOf('\r\n');
  if (end < 0 && text.length < HEADER_BYTES_MAX) return INCOMPLETE;
  if (end < 0) return invalid(`The PROXY line is longer than ${HEADER_BYTES_MAX} bytes.`);
  const line = text.slice(0, end);
  const length = end + '\r\n'.length;
  if (UNKNOWN_LINE.test(line)) return { kind: 'whole', length, client: undefined };
  const [, family, source = '', destination = '', ...ports] = TCP_LINE.exec(line) ?? [];
  const isOfFamily = (address: string): boolean => isIP(address) === Number(family);
  const client = canonicalAddress(source);
  const isValid =
    client !== undefined &&
    isOfFamily(source) &&
    isOfFamily(destination) &&
    ports.every((port) => Number(port) <= PORT_MAX);
  return isValid ? { kind: 'whole', length, client } : invalid('The PROXY line is invalid.');
}
