import { isIPv6 } from 'node:net';

/** Formats an address and a port: `127.0.0.1:2206`, and `[::1]:2206` for IPv6. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
