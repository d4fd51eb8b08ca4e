import { createServer } from 'node:net';

// Below the ports that the kernel gives to outgoing connections (32768 and up on Linux): one of
// those could be taken by any client between our look and the start of the server.
const PORT_MIN = 15_000;
const PORT_MAX = 32_000;
const ATTEMPTS_MAX = 100;

/** Test files that run at the same time have ranges of their own. */
const RANGES = 16;
const RANGE = Math.floor((PORT_MAX - PORT_MIN) / RANGES);
const FIRST = PORT_MIN + (Number(process.env['VITEST_POOL_ID'] ?? process.pid) % RANGES) * RANGE;

let at = Math.floor(Math.random() * RANGE);

/**
 * A TCP port of 127.0.0.1 on which nothing listens now, for a server that cannot tell which port it
 * was given. The same port comes again only after a thousand others: a server that has not
 * started yet keeps its port.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    at = (at + 1) % RANGE;
    const port = FIRST + at;
    if (await isFree(port)) return port;
  }
  throw new Error(`${ATTEMPTS_MAX} ports from ${FIRST} on are all in use.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}
