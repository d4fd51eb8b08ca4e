import { isIPv6 } from 'node:net';

/** Addresses on which a program listens. Port 0 is any free one. */
interface Ports {
  readonly host: string | readonly string[];
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
}

/** Returns the problem of a port that is also the admin port; `undefined` if both can be open. */
export function portConflict({ host, port, adminHost, adminPort }: Ports): string | undefined {
  if (port === 0 || port !== adminPort) return undefined;
  const isShared = [host]
    .flat()
    .some((one) => includesAddress(one, adminHost) || includesAddress(adminHost, one));
  if (!isShared) return undefined;
  return `--port and --admin-port are both ${port}. Choose another one for one of them.`;
}

/** Returns whether an address is another one, or a wildcard for it. Node makes `::` dual-stack. */
export function includesAddress(wildcard: string, host: string): boolean {
  return wildcard === host || wildcard === '::' || (wildcard === '0.0.0.0' && !isIPv6(host));
}
