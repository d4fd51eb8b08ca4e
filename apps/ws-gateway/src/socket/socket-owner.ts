import type { Socket } from 'node:net';
import { handleOf, type ReadOwner, readDirectly, type TcpHandle } from '@groupcast/stream-handle';

/** Receiver of the bytes and the end of a socket. */
export interface SocketOwner extends ReadOwner {
  /** The peer has ended its side. */
  end(): void;
  /** The socket is closed. */
  closed(): void;
}

/** Key of a socket's owner, so that all sockets share their listeners. */
const OWNER = Symbol('owner');

interface OwnedSocket extends Socket {
  [OWNER]?: SocketOwner | undefined;
}

/**
 * Gives a socket to an owner, in place of the one that it had. Its errors destroy it. With its
 * handle it is read below its stream.
 */
export function own(socket: Socket, owner: SocketOwner, handle: TcpHandle | undefined): void {
  const owned = socket as OwnedSocket;
  const hadOwner = owned[OWNER] !== undefined;
  owned[OWNER] = owner;
  if (handle !== undefined) readDirectly(handle, owner);
  if (hadOwner) return;
  socket.on('data', data);
  socket.on('end', end);
  socket.on('close', closed);
  socket.on('error', destroy);
}

/** Releases a socket, as if it never had an owner. The caller must listen to its errors. */
export function disown(socket: Socket): void {
  const handle = handleOf(socket);
  if (handle !== undefined) readDirectly(handle, undefined);
  (socket as OwnedSocket)[OWNER] = undefined;
  socket.removeListener('data', data);
  socket.removeListener('end', end);
  socket.removeListener('close', closed);
  socket.removeListener('error', destroy);
}

function data(this: Socket, chunk: Buffer): void {
  const isConsumed = (this as OwnedSocket)[OWNER]?.read(chunk, chunk.length);
  if (!isConsumed) this.unshift(chunk);
}

function end(this: Socket): void {
  (this as OwnedSocket)[OWNER]?.end();
}

function closed(this: Socket): void {
  (this as OwnedSocket)[OWNER]?.closed();
}

function destroy(this: Socket): void {
  this.destroy();
}
