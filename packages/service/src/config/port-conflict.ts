/** Addresses that stand for all addresses of a machine. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

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
  if (host !== adminHost && !WILDCARDS.has(host) && !WILDCARDS.has(adminHost)) return undefined;
  return `--port and --admin-port are both ${port}. Choose another one for one of them.`;
}
