import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type AppFlags, killAll, launchGateway, launchHub, type TestApp } from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

/** Bound of the promised second, longer for loading the source on a busy machine. */
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
  readonly program: string;
  readonly flag: '--port' | '--admin-port' | '--proxy-protocol-port';
  readonly launch: (flags: AppFlags) => Promise<TestApp>;
}

const CASES: readonly Case[] = [
  { program: 'groupcast-hub', flag: '--port', launch: launchHub },
  { program: 'groupcast-hub', flag: '--admin-port', launch: launchHub },
  { program: 'groupcast-gateway', flag: '--port', launch: launchGateway },
  { program: 'groupcast-gateway', flag: '--admin-port', launch: launchGateway },
  { program: 'groupcast-gateway', flag: '--proxy-protocol-port', launch: launchGateway },
];

function flagsOf(flag: Case['flag'], port: number): AppFlags {
  if (flag === '--port') return { port };
  return flag === '--admin-port'
    ? { adminPort: port }
    : { proxyProtocolPort: port, trustedProxy: '127.0.0.1' };
}

test.each(CASES)(
  '$program $flag in use: one line says so, and the exit code is 1',
  async ({ program, flag, launch }) => {
    const startedAt = performance.now();
    const app = await launch(flagsOf(flag, port));
    expect(await app.process.finished).toEqual({ code: 1, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(EXIT_MS);
    expect(app.process.stderr).toBe(
      `${program}: 127.0.0.1:${port} is in use by another process: ` +
        `stop that one ("ss -ltnp" names it) or choose another port with ${flag}.\n`,
    );
    expect(app.process.stdout).toBe('');
    expect(app.process.descendants()).toEqual([]);
  },
);
