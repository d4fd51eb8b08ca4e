import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A raw socket to the hub. */
export async function connectRaw(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host);
  // A hub may close a hostile peer with a reset.
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}

/** Resolves with all bytes that the hub sent until it closed the connection. */
export async function answersUntilClosed(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks);
}
