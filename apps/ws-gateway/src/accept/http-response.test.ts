import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { rejectRequest } from './http-response.ts';

test('a peer that is gone when its request is rejected does not end the process', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const client = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  client.resetAndDestroy();
  // As when a reset was received and is unread: then the write fails.
  rejectRequest(socket, 408, 'The request took too long.');
  socket.destroy(new Error('write ECONNRESET'));
  await new Promise((resolve) => socket.once('close', resolve));
  expect(socket.destroyed).toBe(true);
  server.close();
});
