import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds the connections of a server without letting those that ask for nothing keep out those that
 * do: beyond `connectionsMax` the connection is closed that has waited longest without a request in
 * progress. The new one goes where all others are being answered. Use it in place of
 * `server.maxConnections`.
 */
export function closeIdleBeyond(server: Server, connectionsMax: number): void {
  /** Those without a request in progress, in the order in which they came to be so. */
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
