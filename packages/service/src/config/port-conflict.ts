import { isIPv6 } from 'node:net';

/** Addresses on which a program listens. Port 0 is any free one. */
interface Ports {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
}

/** Returns the problem of a port that is also the admin port; `undefined` if both can be open. */
export function portConflict({ host, port, adminHost, adminPort }: Ports): string | undefined {
  if (port === 0 || port !== adminPort) return undefined;
  if (host !== adminHost && !includes(host, adminHost) && !includes(adminHost, host)) return undefined;
  return `--port and --admin-port are both ${port}. Choose another one for one of them.`;
}

/** Returns whether a wildcard address stands for another one, too. Node makes `::` dual-stack. */
function includes(wildcard: string, host: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && !isIPv6(host));
}
