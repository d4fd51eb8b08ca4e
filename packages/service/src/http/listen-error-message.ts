import { formatAddress } from './format-address.ts';

/**
 * Returns one line for an error of `listen`: address, port, and what to do.
 * `portFlag` is the flag that chooses the port. Only the admin port has a flag of
 * its own for the address.
 */
export function listenErrorMessage(
  error: unknown,
  host: string | readonly string[],
  port: number,
  portFlag: string,
): string {
  const where = formatAddress(addressOf(error, [host].flat()), port);
  const hostFlag = portFlag === '--admin-port' ? '--admin-host' : '--host';
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return `${where} is in use by another process: stop that one ("ss -ltnp" names it) or choose another port with ${portFlag}.`;
    case 'EACCES':
      return `Not allowed to listen on ${where}: choose a port from 1024 up with ${portFlag}, or grant CAP_NET_BIND_SERVICE.`;
    case 'EADDRNOTAVAIL':
      return `Cannot listen on ${where}: this machine has no such address; choose one that it has with ${hostFlag}.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `Cannot listen on ${where}: the name has no address; give an address with ${hostFlag}.`;
    default: {
      const reason = error instanceof Error ? error.message : String(error);
      return `Cannot listen on ${where} (${reason}): check ${hostFlag} and ${portFlag}.`;
    }
  }
}

/** Returns the address of the error, which is one of those that were to be opened. */
function addressOf(error: unknown, hosts: readonly string[]): string {
  const named = error instanceof Error && 'address' in error ? error.address : undefined;
  const looked = error instanceof Error && 'hostname' in error ? error.hostname : undefined;
  return hosts.find((host) => host === named || host === looked) ?? hosts.join(', ');
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
