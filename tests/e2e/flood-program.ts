import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';

// Clients that flood the group `g`: messages of 64 KB, 300 a second each, for five seconds. A process of its own, so that it does not hold up the readers.
// Arguments: the URL, how many clients.
const [url = '', clients = '1'] = process.argv.slice(2);

const STEPS = 150;
const STEP_MS = 33;
const MESSAGES_PER_STEP = 10;
const COMMAND = JSON.stringify({ cmd: 'send_to_group', group_id: 'g', message: 'x'.repeat(64_000) });

/** What is sent above it waits for the network, and is not made. */
const QUEUE_BYTES_MAX = 1024 * 1024;

/** Comes back whenever it is closed. */
async function flood(): Promise<void> {
  for (let left = STEPS; left > 0; ) {
    const socket = new WebSocket(url, ['groupcast.v1']);
    socket.on('error', () => {});
    await Promise.race([once(socket, 'open'), once(socket, 'close')]);
    for (; socket.readyState === WebSocket.OPEN && left > 0; left--) {
      for (let count = 0; count < MESSAGES_PER_STEP; count++) {
        if (socket.bufferedAmount < QUEUE_BYTES_MAX) socket.send(COMMAND);
      }
      await setTimeout(STEP_MS);
    }
    socket.terminate();
  }
}

await Promise.all(Array.from({ length: Number(clients) }, flood));
