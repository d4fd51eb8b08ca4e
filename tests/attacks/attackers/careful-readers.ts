import type { Socket } from 'node:net';
import { joinUnread } from '../../conformance/join-unread.ts';

// A program: members of one group that read BYTES_PER_SECOND each, and ignore the content.
//
//     careful-readers.ts PORT GROUP COUNT BYTES_PER_SECOND
//
// Prints `joined` when they have joined.

const [port = '', group = '', count = '', bytesPerSecond = ''] = process.argv.slice(2);
const TICK_MS = 25;
const TICK_BYTES = (Number(bytesPerSecond) * TICK_MS) / 1_000;

/** Reads until the bytes of the tick are used up. A surplus is subtracted from the next tick. */
function readSlowly(socket: Socket): void {
  let left = 0;
  socket.on('data', (bytes: Buffer) => {
    left -= bytes.length;
    if (left <= 0) socket.pause();
  });
  setInterval(() => {
    left = Math.min(left, 0) + TICK_BYTES;
    if (left > 0) socket.resume();
  }, TICK_MS);
}

for (let joined = 0; joined < Number(count); joined++) {
  readSlowly(await joinUnread(Number(port), group));
}
process.stdout.write('joined\n');
