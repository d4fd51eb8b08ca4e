import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { adminRequest, freePort, killAll, launchGateway, startHub, until } from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';

const ATTEMPTS = 6;

let server: Server | undefined;
afterEach(async () => {
  await killAll();
  server?.close();
});

/** Listens like a hub, and closes each connection at once. `attempts` counts connections. */
async function closingServer(): Promise<{ readonly port: number; attempts(): number }> {
  let attempts = 0;
  server = createServer((socket) => {
    attempts += 1;
    socket.on('error', () => {}).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, attempts: () => attempts };
}

describe('a gateway without a hub', () => {
  test('says so in the start table and in /readyz, and again with [OK] when the hub is there', async () => {
    const port = await freePort();
    const gateway = await launchGateway({ hub: `127.0.0.1:${port}`, workers: 2 });
    await gateway.process.waitForLine(/^Press Ctrl-C to quit\.$/);
    const [, row, sentence] = gateway.process.stdout.split('\n');
    expect(row).toMatch(/WsGateway +ws:\/\/127\.0\.0\.1:\d+ +2 +\[NO HUB\]$/);
    expect(sentence).toBe(
      `The hub at 127.0.0.1:${port} cannot be reached (connect ECONNREFUSED 127.0.0.1:${port}). ` +
        'Start the hub there, or correct the address. ' +
        'Clients can connect, but no message passes until the hub is reached (--hub). The workers retry.',
    );
    const { status, body } = await adminRequest(gateway.adminPort, '/readyz');
    expect([status, body]).toEqual([503, expect.stringContaining('connect ECONNREFUSED')]);

    await startHub({ port });
    await gateway.process.waitForLine(/WsGateway .*\[OK\]$/);
    await gateway.process.waitForLine(/Start success\.$/);
  });

  test('logs a repeated failure once for all workers', async () => {
    const { port, attempts } = await closingServer();
    const gateway = await launchGateway({ hub: `127.0.0.1:${port}`, workers: 2 });
    await gateway.process.waitForLine(/^Press Ctrl-C to quit\.$/);
    await until(attempts, 'further attempts of the workers', (count) => count >= ATTEMPTS);
    const sentence = 'closed the connection without an answer';
    const lines = gateway.process.stderr.split('\n').filter((line) => line.includes(sentence));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ role: 'primary', code: 'hub_unavailable' });
  });

  test('with --log-format json prints nothing on stdout: the table is a log line', async () => {
    const port = await freePort();
    const gateway = await launchGateway({ hub: `127.0.0.1:${port}`, logFormat: 'json' });
    const warning = JSON.parse(await gateway.process.waitForLine(/started, but cannot serve yet/));
    expect(warning).toMatchObject({ service: 'WsGateway', processes: 1, status: 'NO HUB' });
    const hub = await startHub({ port, logFormat: 'json' });
    const started = JSON.parse(await gateway.process.waitForLine(/"started"/));
    expect(started).toMatchObject({ service: 'WsGateway', listen: gateway.url, status: 'OK' });
    expect(hub.process.stderr).toContain('"started"');
    expect(gateway.process.stdout + hub.process.stdout).toBe('');
  });
});
