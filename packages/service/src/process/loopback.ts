import { isIPv4 } from 'node:net';

/** Returns whether only this machine reaches an address: 127.0.0.0/8, ::1 or localhost. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host);
}

/**
 * Returns whether a peer's address is a loopback address, also within IPv6. An unknown one is not.
 */
export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  if (address === '::1') return true;
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return isIPv4(plain) && plain.startsWith('127.');
}
