import { isIP } from 'node:net';

/**
 * Returns whether a request to a loopback port may have this `Host` header: an address, or
 * `localhost`. The owner of any other name may have pointed it here, to read the port through a
 * browser. No browser sends a request without the header (HTTP/1.0).
 */
export function isHostAllowed(header: string | undefined): boolean {
  if (header === undefined) return true;
  const name = header.replace(/:\d{1,5}$/, '').toLowerCase();
  return name === 'localhost' || isIP(name) !== 0 || (/^\[.*\]$/.test(name) && isIP(name.slice(1, -1)) === 6);
}
