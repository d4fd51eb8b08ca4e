import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { ListenError } from '../errors.ts';

/** A TCP socket of Node's that is bound to an address; `Server.listen` takes one. */
export interface PortHandle {
  close(): void;
}

/**
 * The part of `node:net` that Node does not document. The cluster module makes its shared sockets
 * with it.
 */
interface NetInternals {
  /** The handle, or the number of the system's error. */
  readonly _createServerHandle?: (address: string, port: number, addressType: 4 | 6) => PortHandle | number;
}

/**
 * The socket that all workers accept from. The primary makes it, never accepts, and keeps it: what
 * waits in its queue waits on while workers stop, die and start. Without the internals there is no
 * handle, and the workers listen through the cluster module, which costs more.
 */
export class SharedPort {
  /** Where it was asked to be. */
  readonly host: string;
  readonly port: number;
  readonly handle: PortHandle | undefined;

  private constructor(host: string, port: number, handle: PortHandle | undefined) {
    this.host = host;
    this.port = port;
    this.handle = handle;
  }

  /**
   * Rejects with the system's error, such as `EADDRINUSE`, or a ListenError, where the address
   * cannot be had.
   */
  static async open(
    host: string,
    port: number,
    internals: NetInternals = net as typeof net & NetInternals,
  ): Promise<SharedPort> {
    // Says at once, in the words of Node, what is wrong with the address, and looks up a name.
    const found = await probe(host, port);
    const { _createServerHandle: create } = internals;
    if (typeof create !== 'function') return new SharedPort(host, port, undefined);
    const handle = create(found.address, found.port, found.family === 'IPv6' ? 6 : 4);
    if (typeof handle !== 'number') return new SharedPort(host, port, handle);
    const code = getSystemErrorName(handle);
    throw new ListenError(code, `bind ${code} ${found.address}:${found.port}`);
  }

  /** Others can have the address as soon as no worker has it any more. */
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
  if (address === null || typeof address === 'string') throw new Error('The address is none of TCP.');
  return address;
}
