import type { AddressInfo } from 'node:net';
import { ConfigError } from '../config/config-error.ts';
import { listenErrorMessage } from './listen-error-message.ts';

/**
 * Makes a server listen, and resolves with the result of its `listen`. If the system rejects it (a
 * port in use, a missing address), throws ConfigError with one line: address, port and what to do.
 * `portFlag` is the flag that chooses the port. Other errors pass.
 */
export async function listenAt<Address = AddressInfo>(
  server: { listen(): Promise<Address> },
  host: string | readonly string[],
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
