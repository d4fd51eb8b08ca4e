import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';

// Clients that flood the group `g` for five seconds. A process of its own, so that it does not hold
// up the readers. Arguments: the URL, how many clients, what they send.
const [url = '', clients = '1', kind = 'text'] = process.argv.slice(2);

interface Flood {
  readonly message: unknown;
  /** Messages that each client sends at once, and again after each step. */
  readonly perStep: number;
}

const FLOODS: Readonly<Record<string, Flood>> = {
  text: { message: 'x'.repeat(64_000), perStep: 10 },
  // To members of v1 each quote and each backslash is two bytes.
  quotes: { message: ['"'.repeat(32_000)], perStep: 10 },
  // The envelope is what counts.
  numbers: { message: 1, perStep: 60 },
};

const STEPS = 150;
const STEP_MS = 33;
const { message, perStep } = FLOODS[kind] ?? { message: kind, perStep: 1 };
const COMMAND = JSON.stringify({ cmd: 'send_to_group', group_id: 'g', message });

/** Buffered bytes above which the program waits before it creates more. */
const QUEUE_BYTES_MAX = 1024 * 1024;

/** Comes back whenever it is closed. */
async function flood(): Promise<void> {
  for (let left = STEPS; left > 0; ) {
    const socket = new WebSocket(url, ['groupcast.v1']);
    socket.on('error', () => {});
    await Promise.race([once(socket, 'open'), once(socket, 'close')]);
    for (; socket.readyState === WebSocket.OPEN && left > 0; left--) {
      for (let count = 0; count < perStep; count++) {
        if (socket.bufferedAmount < QUEUE_BYTES_MAX) socket.send(COMMAND);
      }
      await setTimeout(STEP_MS);
    }
    socket.terminate();
  }
}

await Promise.all(Array.from({ length: Number(clients) }, flood));
