import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type AppFlags, killAll, launchGateway, launchHub, type TestApp } from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

/** What is promised is a second; loading the source on a busy machine takes longer. */
const EXIT_MS = 5_000;

let other: Server;
let port: number;

beforeAll(async () => {
  other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  port = (other.address() as AddressInfo).port;
});
afterEach(killAll);
afterAll(() => other.close());

interface Case {
  readonly what: string;
  readonly program: string;
  readonly flag: string;
  readonly launch: (flags: AppFlags) => Promise<TestApp>;
  readonly flags: () => AppFlags;
}

const CASES: readonly Case[] = [
  {
    what: "the hub's port",
    program: 'groupcast-hub',
    flag: '--port',
    launch: launchHub,
    flags: () => ({ port }),
  },
  {
    what: "the hub's admin port",
    program: 'groupcast-hub',
    flag: '--admin-port',
    launch: launchHub,
    flags: () => ({ adminPort: port }),
  },
  {
    what: "the gateway's port",
    program: 'groupcast-gateway',
    flag: '--port',
    launch: launchGateway,
    flags: () => ({ port }),
  },
  {
    what: "the gateway's admin port",
    program: 'groupcast-gateway',
    flag: '--admin-port',
    launch: launchGateway,
    flags: () => ({ adminPort: port }),
  },
];

test.each(CASES)('$what is in use: one line says so, and the exit code is 1', async (example) => {
  const startedAt = performance.now();
  const app = await example.launch(example.flags());
  expect(await app.process.finished).toEqual({ code: 1, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(EXIT_MS);
  expect(app.process.stderr).toBe(
    `${example.program}: 127.0.0.1:${port} is in use by another process: ` +
      `stop that one ("ss -ltnp" names it) or choose another port with ${example.flag}.\n`,
  );
  expect(app.process.stdout).toBe('');
  expect(app.process.descendants()).toEqual([]);
});
