import { canonicalAddress } from './ip-address.ts';
import { INCOMPLETE, invalid, type ProxyHeader } from './proxy-header.ts';

/** First bytes of a header of version 2. */
export const SIGNATURE_V2: Buffer = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** Signature, version and command, family and protocol, length of the rest (section 2.2). */
const FIXED_BYTES = 16;
const COMMAND_AT = 12;
const FAMILY_AT = 13;
const LENGTH_AT = 14;

/** Longest header, in bytes. Addresses take 52; names of TLS, ids of clouds and such may follow. */
const HEADER_BYTES_MAX = 4_096;

const LOCAL = 0x20;
const PROXY = 0x21;

/** Families without an IP address: unspecified, and a Unix socket. */
const UNSPECIFIED = 0x00;
const UNIX_STREAM = 0x31;

/** Families of clients over TCP: bytes of the address, and of both addresses and ports. */
const TCP_FAMILIES: ReadonlyMap<number, { readonly address: number; readonly block: number }> = new Map([
  [0x11, { address: 4, block: 12 }],
  [0x21, { address: 16, block: 36 }],
]);

/** Reads bytes that begin with `SIGNATURE_V2`. */
export function readHeaderV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < FIXED_BYTES) return INCOMPLETE;
  const command = bytes.readUInt8(COMMAND_AT);
  const family = bytes.readUInt8(FAMILY_AT);
  const length = FIXED_BYTES + bytes.readUInt16BE(LENGTH_AT);
  if (length > HEADER_BYTES_MAX) {
    return invalid(`The PROXY header has ${length} bytes. At most ${HEADER_BYTES_MAX} are allowed.`);
  }
  if (command !== LOCAL && command !== PROXY) {
    return invalid(`The PROXY header has the unknown version and command 0x${hex(command)}.`);
  }
  const isNameless = command === LOCAL || family === UNSPECIFIED || family === UNIX_STREAM;
  const sizes = TCP_FAMILIES.get(family);
  if (!isNameless && sizes === undefined) {
    return invalid(`The PROXY header has the family and protocol 0x${hex(family)}, which is not TCP.`);
  }
  if (!isNameless && sizes !== undefined && length < FIXED_BYTES + sizes.block) {
    return invalid(`The PROXY header has ${length} bytes, too few for its addresses.`);
  }
  if (bytes.length < length) return INCOMPLETE;
  if (isNameless || sizes === undefined) return { kind: 'whole', length, client: undefined };
  const client = addressOf(bytes.subarray(FIXED_BYTES, FIXED_BYTES + sizes.address));
  return { kind: 'whole', length, client };
}

/** Returns 4 or 16 bytes as the text of an address. */
function addressOf(bytes: Buffer): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16));
  return canonicalAddress(words.join(':'));
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
