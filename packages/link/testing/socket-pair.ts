import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The two ends of a real connection on this machine, gone when the test is over. */
export async function socketPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  if (far.connecting) await once(far, 'connect');
  // A test that breaks the connection on purpose looks at the link, and not at this end.
  far.on('error', () => {});
  onTestFinished(() => {
    far.destroy();
    near.destroy();
    server.close();
  });
  return { near, far };
}

/** All bytes that a socket gets until it ends. */
export async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The first `count` bytes that a socket gets, which may have been paused. */
export function readBytes(socket: Socket, count: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.on('data', function take(chunk: Buffer) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes < count) return;
      socket.off('data', take);
      resolve(Buffer.concat(chunks));
    });
    socket.resume();
  });
}
