import { isIP, SocketAddress } from 'node:net';

const MAPPED = '::ffff:';

/**
 * Returns an IP address in its shortest form, and IPv4 within IPv6 as IPv4: one client has one
 * address. Returns `undefined` for anything else, zones of IPv6 included.
 */
export function canonicalAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family === 0 || text.includes('%')) return undefined;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const plain = address.slice(MAPPED.length);
  return address.startsWith(MAPPED) && isIP(plain) === 4 ? plain : address;
}
