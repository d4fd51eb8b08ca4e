import { createServer } from 'node:net';

// Below the ports that the kernel gives to outgoing connections (32768 and up on Linux): one of
// those could be taken by any client between our look and the start of the server.
const PORT_MIN = 15_000;
const PORT_MAX = 32_000;
const ATTEMPTS_MAX = 100;

/**
 * A TCP port of 127.0.0.1 on which nothing listens now, for a server that cannot tell which port it
 * was given.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port)) return port;
  }
  throw new Error(`${ATTEMPTS_MAX} ports between ${PORT_MIN} and ${PORT_MAX} are all in use.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}
