import type { AddressInfo } from 'node:net';
import { ConfigError } from '../config/config-error.ts';
import { listenErrorMessage } from './listen-error-message.ts';

/**
 * Makes a server listen, and resolves with what its `listen` says. Where Node refuses (a port in
 * use, an address that is not there), throws ConfigError with one line that names address, port and
 * what to do; `portFlag` is the flag that chooses the port. Other errors pass.
 */
export async function listenAt<Address = AddressInfo>(
  server: { listen(): Promise<Address> },
  host: string,
  port: number,
  portFlag: string,
): Promise<Address> {
  try {
    return await server.listen();
  } catch (cause) {
    const isOfSystem = cause instanceof Error && 'syscall' in cause;
    if (!isOfSystem) throw cause;
    throw new ConfigError([listenErrorMessage(cause, host, port, portFlag)], { cause });
  }
}
