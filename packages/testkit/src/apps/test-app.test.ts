import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { killAll } from '../processes/test-process.ts';
import { freePort } from '../sockets/free-port.ts';
import { startGateway } from './start-gateway.ts';
import { launchHub, startHub } from './start-hub.ts';

// Stands in for an app: becomes ready on the second look, and shows its flags as its stats.
const APP = `
  import { createServer } from 'node:http';
  const flags = process.argv.slice(2);
  const port = Number(flags.find((flag) => flag.startsWith('--admin-port=')).split('=')[1]);
  if (flags.includes('--fail')) { console.error('no such file'); process.exit(1); }
  let looks = 0;
  createServer((request, response) => {
    if (request.url === '/readyz') response.writeHead(++looks > 1 ? 200 : 503).end();
    else response.end(JSON.stringify({ flags, sessions: 0, setting: process.env.GROUPCAST_HUB_PORT }));
  }).listen(port, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
`;

let folder: string;
let main: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groupcast-testkit-'));
  main = join(folder, 'app.mjs');
  await writeFile(main, APP);
});

afterEach(killAll);
afterAll(() => rm(folder, { recursive: true }));

describe('startHub and startGateway', () => {
  test('start the program with its flags, wait until it is ready, and read its stats', async () => {
    process.env['GROUPCAST_HUB_PORT'] = '1';
    const hub = await startHub({ secretFile: '/secret', insecure: true, welcomePage: false }, { main });
    delete process.env['GROUPCAST_HUB_PORT'];
    expect(hub.address).toBe(`127.0.0.1:${hub.port}`);
    expect(hub.port).not.toBe(hub.adminPort);
    expect(await hub.stats()).toEqual({
      flags: [
        'start',
        '--warm-up-ms=0',
        '--secret-file=/secret',
        '--insecure',
        '--no-welcome-page',
        `--port=${hub.port}`,
        `--admin-port=${hub.adminPort}`,
      ],
      sessions: 0,
    });
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });

  test('launch a program without waiting for it, even one that fails', async () => {
    const hub = await launchHub({ fail: true }, { main });
    expect(await hub.process.finished).toEqual({ code: 1, signal: null });
    expect(hub.process.stderr).toBe('no such file\n');
  });

  test('use the given ports, so that a program can be restarted at its address', async () => {
    const port = await freePort();
    const first = await startGateway({ port, workers: 3 }, { main });
    expect(first.url).toBe(`ws://127.0.0.1:${port}`);
    expect((await first.stats())['flags']).toContain('--workers=3');
    expect(await first.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    const { adminPort } = first;
    expect((await startGateway({ port, adminPort }, { main })).adminPort).toBe(adminPort);
  });

  test('reject with the output of a program that ends instead', async () => {
    await expect(startHub({ fail: true }, { main })).rejects.toThrow(
      'channel-hub ended with 1: no such file',
    );
  });
});

test('freePort returns a port on which a program can listen', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  server.close();
});
