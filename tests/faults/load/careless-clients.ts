import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { clientFrame, handshake, TEXT } from '../../conformance/websocket-bytes.ts';

// A program: members of one group that look at nothing that they get, and stop reading altogether at SIGUSR2. In a process of
// their own, because what so many read would delay everything that is measured beside them.
//
//     careless-clients.ts PORT GROUP COUNT

const [port = '', group = '', count = ''] = process.argv.slice(2);

/** So many connect at once. */
const TOGETHER = 50;

/** Resolves when it has joined; in plain mode, so that the first thing that comes is the ack. */
async function open(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  // Being cut is what they are for.
  socket.on('error', () => {});
  socket.write(handshake());
  socket.write(clientFrame(TEXT, JSON.stringify({ cmd: 'add_group', group_id: group, id: 1 })));
  let received = '';
  while (!received.includes('"ack"')) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    received += bytes.toString('latin1');
  }
  socket.on('data', () => {});
  return socket;
}

const sockets: Socket[] = [];
while (sockets.length < Number(count)) {
  sockets.push(...(await Promise.all(Array.from({ length: TOGETHER }, open))));
}
process.on('SIGUSR2', () => {
  for (const socket of sockets) socket.pause();
  process.stdout.write('stopped\n');
});
// Sockets that do not read keep no process alive.
setInterval(() => {}, 1_000);
process.stdout.write('joined\n');
