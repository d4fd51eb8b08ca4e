// Socket.IO over WebSockets only. Usage: node socket-io.mjs PORT single|cluster|redis [REDIS_PORT]
// WebSockets need no sticky sessions: the workers of `cluster` and `redis` share the port.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { createAdapter as createClusterAdapter, setupPrimary } from '@socket.io/cluster-adapter';
import { createAdapter as createRedisAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const WORKERS = 2;
const [port, mode, redisPort] = process.argv.slice(2);

if (mode !== 'single' && cluster.isPrimary) {
  if (mode === 'cluster') setupPrimary();
  for (let worker = 0; worker < WORKERS; worker++) cluster.fork();
} else {
  await serve();
}

async function serve() {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
  if (mode === 'cluster') io.adapter(createClusterAdapter());
  if (mode === 'redis') {
    const publisher = createClient({ url: `redis://127.0.0.1:${redisPort}` });
    const subscriber = publisher.duplicate();
    await Promise.all([publisher.connect(), subscriber.connect()]);
    io.adapter(createRedisAdapter(publisher, subscriber));
  }
  io.on('connection', (socket) => {
    socket.on('join', async (group, joined) => {
      await socket.join(group);
      joined?.();
    });
    socket.on('publish', (group, message) => io.to(group).emit('message', message));
  });
  http.listen(Number(port));
}
