import type { Socket } from 'node:net';
import { joinUnread } from '../../conformance/join-unread.ts';

// A program: members of one group that ignore their messages, and stop reading at SIGUSR2. They
// have a process of their own, because their reading would delay everything measured beside them.
//
//     careless-clients.ts PORT GROUP COUNT

const [port = '', group = '', count = ''] = process.argv.slice(2);

/** Number of connections that are opened at a time. */
const TOGETHER = 50;

async function open(): Promise<Socket> {
  const socket = await joinUnread(Number(port), group);
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
