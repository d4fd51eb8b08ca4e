import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Conditions, ProxyPipe } from './proxy-pipe.ts';

/** `up` is from the client to the server, `down` is back. */
export type ProxyDirection = 'up' | 'down';

export interface TcpProxyOptions {
  /** The server's port, on 127.0.0.1. */
  readonly target: number;
  /** Default: a free one. */
  readonly port?: number;
  /** For jitter, from 0 to below 1. Default Math.random. */
  readonly random?: () => number;
  /** Is told of all bytes, before they leave; `connection` counts from 1. */
  readonly tap?: ProxyTap;
}

export type ProxyTap = (direction: ProxyDirection, bytes: Buffer, connection: number) => void;

interface ProxyConnection {
  readonly client: Socket;
  readonly server: Socket;
  readonly pipes: Readonly<Record<ProxyDirection, ProxyPipe>>;
  /** The side that could not be told that the other has broken off. */
  untold: Socket | undefined;
}

/**
 * Stands between TCP clients and a server, and is a bad network when told so: late, jittery,
 * narrow, cut in slices, dead, or broken off. What is set holds for the connections that are there
 * and for those that come.
 *
 * A blackhole is a network that swallows packets: nothing arrives, no end and no reset either, and
 * when it heals TCP sends again, so that nothing is missing. A connection that is opened into it
 * stays without an answer.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #random: () => number;
  readonly #tap: ProxyTap | undefined;
  readonly #connections = new Set<ProxyConnection>();
  readonly #conditions: Record<ProxyDirection, Conditions> = { up: {}, down: {} };
  readonly #blackholed: Record<ProxyDirection, boolean> = { up: false, down: false };
  readonly #passed: Record<ProxyDirection, number> = { up: 0, down: 0 };
  #resetAt: number | undefined;
  #accepted = 0;
  #resets = 0;

  private constructor({ target, random = Math.random, tap }: TcpProxyOptions) {
    this.#target = target;
    this.#random = random;
    this.#tap = tap;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  /** Resolves when it listens on 127.0.0.1. */
  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    proxy.#server.listen({ host: '127.0.0.1', port: options.port ?? 0 });
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** HOST:PORT. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Connections that ever came. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that `resetAfterBytes` has broken off. */
  get resets(): number {
    return this.#resets;
  }

  /**
   * Bytes that wait in here, of all connections. A blackhole that swallows something shows here.
   */
  get heldBytes(): number {
    return [...this.#connections].reduce(
      (sum, { pipes }) => sum + pipes.up.heldBytes + pipes.down.heldBytes,
      0,
    );
  }

  /** Bytes that were handed on, of all connections. */
  passed(direction: ProxyDirection): number {
    return this.#passed[direction];
  }

  /** How bytes travel from now on; what is not named is as it is without a proxy. */
  set(conditions: Conditions, directions: readonly ProxyDirection[] = ['up', 'down']): void {
    for (const direction of directions) {
      this.#conditions[direction] = conditions;
      for (const { pipes } of this.#connections) pipes[direction].set(conditions);
    }
  }

  /** From now on nothing passes in these directions, until `heal`. */
  blackhole(directions: readonly ProxyDirection[] = ['up', 'down']): void {
    for (const direction of directions) {
      this.#blackholed[direction] = true;
      for (const { pipes } of this.#connections) pipes[direction].blackhole(true);
    }
  }

  /** Ends the blackhole: what was held arrives. */
  heal(): void {
    for (const direction of ['up', 'down'] as const) {
      this.#blackholed[direction] = false;
      for (const { pipes } of this.#connections) pipes[direction].blackhole(false);
    }
    for (const { untold } of this.#connections) if (untold !== undefined) breakOff(untold);
  }

  /**
   * Ends all connections, towards both sides, and answers how many: `rst` breaks them off, `fin`
   * ends them in order.
   */
  cut(how: 'rst' | 'fin' = 'rst'): number {
    const count = this.#connections.size;
    for (const connection of [...this.#connections]) this.#end(connection, how);
    return count;
  }

  /**
   * Resets, once, the first connection that carries `bytes` more bytes, both directions counted.
   */
  resetAfterBytes(bytes: number): void {
    this.#resetAt = this.#passed.up + this.#passed.down + bytes;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const server = connect({ host: '127.0.0.1', port: this.#target, allowHalfOpen: true, noDelay: true });
    const connection: ProxyConnection = {
      client,
      server,
      pipes: {
        up: this.#pipe(client, server, 'up', () => connection),
        down: this.#pipe(server, client, 'down', () => connection),
      },
      untold: undefined,
    };
    this.#connections.add(connection);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      // How a side went shows in its close.
      socket.on('error', () => {});
      socket.on('close', (hadError) => this.#closed(connection, other, hadError));
    }
  }

  #pipe(
    source: Socket,
    target: Socket,
    direction: ProxyDirection,
    connection: () => ProxyConnection,
  ): ProxyPipe {
    const number = this.#accepted;
    const pipe = new ProxyPipe(source, target, this.#random, (bytes) => {
      this.#passed[direction] += bytes.length;
      this.#tap?.(direction, bytes, number);
      if (this.#resetAt === undefined || this.#passed.up + this.#passed.down < this.#resetAt) return;
      this.#resetAt = undefined;
      this.#resets += 1;
      this.#end(connection(), 'rst');
    });
    pipe.set(this.#conditions[direction]);
    pipe.blackhole(this.#blackholed[direction]);
    return pipe;
  }

  /**
   * One side is gone altogether. The other is told, unless the news would have to travel through a
   * blackhole.
   */
  #closed(connection: ProxyConnection, other: Socket, hadError: boolean): void {
    const { client, server, pipes } = connection;
    if (client.destroyed && server.destroyed) {
      pipes.up.stop();
      pipes.down.stop();
      this.#connections.delete(connection);
      return;
    }
    if (!hadError) return;
    if (this.#blackholed[other === server ? 'up' : 'down']) connection.untold = other;
    else breakOff(other);
  }

  #end({ client, server, pipes }: ProxyConnection, how: 'rst' | 'fin'): void {
    pipes.up.stop();
    pipes.down.stop();
    for (const socket of [client, server]) {
      if (how === 'rst') breakOff(socket);
      else socket.destroy();
    }
  }
}

/**
 * RST; but FIN for a socket whose end is under way already, which libuv refuses to reset: Node
 * would never close it then.
 */
function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
