import type { Socket } from 'node:net';
import { type Log, LogLimiter, type TrustedAddresses } from '@groupcast/service';
import { setClientAddress } from '../../socket/client-address.ts';
import { disown, own, type SocketOwner } from '../../socket/socket-owner.ts';
import { rejectRequest } from '../http-response.ts';
import { readProxyHeader } from './read-proxy-header.ts';

export interface ProxiedSocketsOptions {
  /** Addresses that may name the client of a connection. */
  readonly trusted: TrustedAddresses;
  /** Time for the header, in milliseconds. */
  readonly headerMs: number;
  readonly log: Log;
}

/** Receiver of sockets after their PROXY header. */
export interface ProxiedSocketEvents {
  /** The header was read. The bytes of the client come next. */
  proxied(socket: Socket): void;
  /** The socket is about to be closed: it is not of a trusted proxy, or its header is invalid. */
  unproxied(socket: Socket): void;
}

/** Sockets that must begin with a header of the PROXY protocol, until it is whole. */
export class ProxiedSockets {
  readonly #options: ProxiedSocketsOptions;
  readonly #receiver: ProxiedSocketEvents;
  readonly #waiting = new Set<ProxiedSocket>();
  readonly #logLimiter: LogLimiter;

  constructor(options: ProxiedSocketsOptions, receiver: ProxiedSocketEvents) {
    this.#options = options;
    this.#receiver = receiver;
    this.#logLimiter = new LogLimiter({
      report: (reason, heldBack) => {
        options.log.warn({ reason, heldBack }, 'more connections to the PROXY protocol port were rejected');
      },
    });
  }

  get headerMs(): number {
    return this.#options.headerMs;
  }

  add(socket: Socket): void {
    const { remoteAddress } = socket;
    // A load balancer checks whether the port is open, and may be gone.
    if (remoteAddress === undefined) socket.destroy();
    else if (this.#options.trusted.has(remoteAddress)) this.#waiting.add(new ProxiedSocket(socket, this));
    else {
      this.#log('untrusted', remoteAddress, 'The address is not in --trusted-proxy.');
      this.#receiver.unproxied(socket);
      socket.destroy();
    }
  }

  /** Receives a socket whose header is whole. */
  proxied(socket: Socket): void {
    this.#receiver.proxied(socket);
  }

  /** Closes a socket whose header is invalid or late. */
  reject(socket: Socket, fault: string): void {
    this.#log('invalid', socket.remoteAddress ?? '', fault);
    this.#receiver.unproxied(socket);
    rejectRequest(socket, 400, `${fault} This port is for proxies with the PROXY protocol only.`);
  }

  remove(waiting: ProxiedSocket): void {
    this.#waiting.delete(waiting);
  }

  /** Destroys the sockets whose header is not whole. */
  close(): void {
    for (const { socket } of this.#waiting) socket.destroy();
    this.#logLimiter.close();
  }

  #log(reason: 'untrusted' | 'invalid', address: string, fault: string): void {
    if (!this.#logLimiter.take(reason)) return;
    this.#options.log.warn({ address, fault }, 'a connection to the PROXY protocol port was rejected');
  }
}

/** Owner of one socket until its header is whole. */
class ProxiedSocket implements SocketOwner {
  readonly socket: Socket;
  readonly #sockets: ProxiedSockets;
  readonly #timer: NodeJS.Timeout;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, sockets: ProxiedSockets) {
    this.socket = socket;
    this.#sockets = sockets;
    const { headerMs } = sockets;
    this.#timer = setTimeout(() => {
      this.#reject(`The PROXY header did not arrive within ${headerMs} ms.`);
    }, headerMs);
    // Through its stream, to which bytes behind the header are returned.
    own(socket, this, undefined);
  }

  read(chunk: Buffer, length: number): true {
    const bytes = Buffer.concat([this.#bytes, chunk.subarray(0, length)]);
    const header = readProxyHeader(bytes);
    if (header.kind === 'incomplete') this.#bytes = bytes;
    else if (header.kind === 'invalid') this.#reject(header.fault);
    else {
      this.#release();
      if (header.client !== undefined) setClientAddress(this.socket, header.client);
      this.#sockets.proxied(this.socket);
      if (header.length < bytes.length) this.socket.unshift(bytes.subarray(header.length));
    }
    return true;
  }

  end(): void {
    this.socket.destroy();
  }

  closed(): void {
    clearTimeout(this.#timer);
    this.#sockets.remove(this);
  }

  #reject(fault: string): void {
    this.#release();
    this.#sockets.reject(this.socket, fault);
  }

  #release(): void {
    this.closed();
    disown(this.socket);
  }
}
