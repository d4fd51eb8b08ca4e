import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Limits the connections of a server so that idle ones do not keep out others. Beyond
 * `connectionsMax` the connection that has been idle longest is closed, or the new one if all
 * others have a request in progress. Use it in place of `server.maxConnections`.
 */
export function closeIdleBeyond(server: Server, connectionsMax: number): void {
  /** Connections without a request in progress, in the order in which they became idle. */
  const idle = new Set<Socket>();
  let count = 0;
  server.on('connection', (socket: Socket) => {
    count += 1;
    idle.add(socket);
    socket.once('close', () => {
      count -= 1;
      idle.delete(socket);
    });
    if (count <= connectionsMax) return;
    const [oldest] = idle;
    if (oldest === undefined) return;
    idle.delete(oldest);
    oldest.destroy();
  });
  server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
}
