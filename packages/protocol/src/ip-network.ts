/** An address, or a network of addresses with the same beginning. */
export interface IpNetwork {
  /** First address of the network: 4 bytes, or 16 for IPv6. */
  readonly bytes: Uint8Array;
  /** Bits that all its addresses share: all of them for an address. */
  readonly bits: number;
}

/** Longest text of a network, in characters: eight groups, the last two as IPv4, and the bits. */
const CHARACTERS_MAX = 49;

const IPV6_BYTES = 16;
const GROUPS = 8;

/** Bytes of an IPv6 address before the IPv4 address that is mapped into it: ::ffff:0:0/96. */
const MAPPED_BYTES = 12;

const DECIMAL = /^(?:0|[1-9]\d{0,2})$/;
const HEX = /^[\da-f]{1,4}$/i;

/**
 * Parses an address or a network such as `10.1.0.0/16`, `2001:db8::/32`. IPv4 within IPv6 becomes
 * IPv4. Returns undefined for anything else, zones of IPv6 included.
 */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  if (text.length > CHARACTERS_MAX) return undefined;
  const slash = text.indexOf('/');
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const bitsMax = bytes.length * 8;
  const bits = slash < 0 ? bitsMax : decimalOf(text.slice(slash + 1), bitsMax);
  if (bits === undefined) return undefined;
  const isMapped = bits >= MAPPED_BYTES * 8 && hasMappedPrefix(bytes);
  return isMapped ? { bytes: bytes.slice(MAPPED_BYTES), bits: bits - MAPPED_BYTES * 8 } : { bytes, bits };
}

/** Returns the network with these bits around an address: what is behind them becomes 0. */
export function maskIp(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, at) => {
    const kept = Math.min(8, Math.max(0, bits - at * 8));
    return byte & (0xff << (8 - kept));
  });
}

/** Returns the shortest text of a network (RFC 5952). Without bits, if it is one address. */
export function formatIpNetwork({ bytes, bits }: IpNetwork): string {
  const address = bytes.length === IPV6_BYTES ? formatIpv6(bytes) : bytes.join('.');
  return bits === bytes.length * 8 ? address : `${address}/${bits}`;
}

function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.').map((part) => decimalOf(part, 255) ?? -1);
  return parts.length === 4 && !parts.includes(-1) ? Uint8Array.from(parts) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const sides = withoutIpv4(text).split('::');
  const [head = [], tail = []] = sides.map(groupsOf);
  const zeros = GROUPS - head.length - tail.length;
  // A `::` stands for one group of zeros at least.
  const isWhole = sides.length === 1 ? zeros === 0 : sides.length === 2 && zeros > 0;
  if (!isWhole) return undefined;
  const groups = [...head, ...Array.from({ length: zeros }, () => 0), ...tail];
  if (groups.includes(-1)) return undefined;
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Writes an IPv4 address at the end of an IPv6 address as two groups. */
function withoutIpv4(text: string): string {
  const at = text.lastIndexOf(':') + 1;
  const ipv4 = parseIpv4(text.slice(at));
  if (ipv4 === undefined) return text;
  const [a = 0, b = 0, c = 0, d = 0] = ipv4;
  return `${text.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** Returns the groups of 16 bits in a part of an IPv6 address; -1 for each that is invalid. */
function groupsOf(side: string): readonly number[] {
  if (side === '') return [];
  return side.split(':').map((part) => (HEX.test(part) ? Number.parseInt(part, 16) : -1));
}

function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: GROUPS },
    (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0),
  );
  const zeros = longestZeros(groups);
  const texts = groups.map((group) => group.toString(16));
  if (zeros.length < 2) return texts.join(':');
  return `${texts.slice(0, zeros.at).join(':')}::${texts.slice(zeros.at + zeros.length).join(':')}`;
}

function longestZeros(groups: readonly number[]): { readonly at: number; readonly length: number } {
  let longest = { at: 0, length: 0 };
  for (let at = 0; at < GROUPS; at++) {
    let length = 0;
    while (groups[at + length] === 0) length += 1;
    if (length > longest.length) longest = { at, length };
  }
  return longest;
}

function hasMappedPrefix(bytes: Uint8Array): boolean {
  return (
    bytes.length === IPV6_BYTES &&
    bytes.subarray(0, MAPPED_BYTES).every((byte, at) => byte === (at < 10 ? 0 : 0xff))
  );
}

function decimalOf(text: string, max: number): number | undefined {
  const value = DECIMAL.test(text) ? Number(text) : max + 1;
  return value <= max ? value : undefined;
}
