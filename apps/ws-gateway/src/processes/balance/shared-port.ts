import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { ListenAddress } from '../../accept/listen-addresses.ts';
import { ListenError } from '../errors.ts';

/** TCP socket of Node that is bound to an address; `Server.listen` accepts it. */
export interface PortHandle {
  close(): void;
}

/** Undocumented part of `node:net`, with which the cluster module creates its shared sockets. */
interface NetInternals {
  /** Returns the handle, or the number of the system's error. */
  readonly _createServerHandle?: (address: string, port: number, addressType: 4 | 6) => PortHandle | number;
}

/**
 * The socket from which all workers accept. The primary creates and keeps it, and never accepts.
 * Pending connections stay in its queue while workers stop, die and start. Without the internals
 * there is no handle, and workers listen through the cluster module, at a higher cost.
 */
export class SharedPort {
  /** Requested address. */
  readonly #address: ListenAddress;
  readonly handle: PortHandle | undefined;

  private constructor(address: ListenAddress, handle: PortHandle | undefined) {
    this.#address = address;
    this.handle = handle;
  }

  /** Opens the port. Rejects with the system's error, such as `EADDRINUSE`, or a ListenError. */
  static async open(
    address: ListenAddress,
    internals: NetInternals = net as typeof net & NetInternals,
  ): Promise<SharedPort> {
    // Resolves the name, and fails with Node's own errors for an invalid address.
    const found = await probe(address.host, address.port);
    const { _createServerHandle: create } = internals;
    if (typeof create !== 'function') return new SharedPort(address, undefined);
    const handle = create(found.address, found.port, found.family === 'IPv6' ? 6 : 4);
    if (typeof handle !== 'number') return new SharedPort(address, handle);
    const code = getSystemErrorName(handle);
    throw new ListenError(code, `bind ${code} ${found.address}:${found.port}`);
  }

  /** Returns whether it serves an address, in the same way: a port is for proxies or it is not. */
  isAt({ host, port, isProxied }: ListenAddress): boolean {
    const own = this.#address;
    return own.host === host && own.port === port && own.isProxied === isProxied;
  }

  /** Releases the address, which is free as soon as all workers have closed it. */
  close(): void {
    this.handle?.close();
  }
}

async function probe(host: string, port: number): Promise<AddressInfo> {
  const server = net.createServer().listen({ host, port });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP address.');
  return address;
}
