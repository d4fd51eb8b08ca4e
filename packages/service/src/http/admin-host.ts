import { isIP } from 'node:net';

/**
 * Whether a request to a loopback port may carry this `Host` header: an address, or `localhost`.
 * Any other name was looked up in somebody's DNS, who may have pointed it here to read the port
 * through a browser. A request without the header (HTTP/1.0) comes from no browser.
 */
export function isHostAllowed(header: string | undefined): boolean {
  if (header === undefined) return true;
  const name = header.replace(/:\d{1,5}$/, '').toLowerCase();
  return name === 'localhost' || isIP(name) !== 0 || (/^\[.*\]$/.test(name) && isIP(name.slice(1, -1)) === 6);
}
