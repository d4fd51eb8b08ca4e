import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adminRequest,
  freePort,
  killAll,
  launchGateway,
  RawSocket,
  startGateway,
  startHub,
  TestClient,
  until,
} from '@groupcast/testkit';
import { handshake } from '@groupcast/testkit/in-process';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { gatewayCommand } from './cli.ts';
import { statsOfAll } from './stats-of-all.ts';

const AT_ONCE = 50;
const TRUSTED = { trustedProxy: '127.0.0.1', handshakesPerSecond: 0 };

afterEach(killAll);

/** Connects as a proxy with the PROXY protocol does, for a client with this number. */
async function openProxied(port: number, client: number): Promise<RawSocket> {
  const socket = await RawSocket.open({ port });
  const address = `203.0.${client >> 8}.${client & 255}`;
  await socket.write(`PROXY TCP4 ${address} 127.0.0.1 51234 443\r\n${handshake()}`);
  const answer = await socket.waitFor((bytes) => bytes.includes('\r\n\r\n'));
  expect(String(answer)).toMatch(/^HTTP\/1.1 101 /);
  return socket;
}

test.each([2, 4])('clients of both ports are spread evenly over %i workers', async (workers) => {
  const hub = await startHub();
  const proxyProtocolPort = await freePort();
  const gateway = await startGateway({ hub: hub.address, workers, proxyProtocolPort, ...TRUSTED });
  const row = new RegExp(`ws://127.0.0.1:${proxyProtocolPort} \\(PROXY protocol\\) +${workers} +\\[OK\\]`);
  await gateway.process.waitForLine(row);
  for (let done = 0; done < 600; done += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        index % 3 === 0 ? TestClient.open(gateway.url) : openProxied(proxyProtocolPort, done + index),
      ),
    );
  }
  const counts = (await statsOfAll(gateway, workers)).workers.map(({ connections }) => connections);
  const mean = 600 / workers;
  expect(counts.reduce((sum, count) => sum + count)).toBe(600);
  for (const count of counts) expect(Math.abs(count - mean)).toBeLessThanOrEqual(Math.max(16, mean / 10));
});

test('a reload adds the port for proxies, keeps it, and removes it, and rejects no connection', async () => {
  const hub = await startHub();
  const proxyProtocolPort = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-proxy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'gateway.json');
  const configure = (values: object): void => writeFileSync(config, JSON.stringify(values));
  configure({});
  const gateway = await startGateway({ hub: hub.address, workers: 2, config, drainSeconds: 0 });
  await expect(RawSocket.open({ port: proxyProtocolPort })).rejects.toThrow('ECONNREFUSED');

  configure({ proxyProtocolPort, trustedProxy: ['127.0.0.1'] });
  expect((await gateway.reload()).reload.error).toBeUndefined();
  const client = await openProxied(proxyProtocolPort, 1);

  let isReloaded = false;
  const reload = gateway.reload().finally(() => {
    isReloaded = true;
  });
  for (let number = 2; !isReloaded || number < 10; number++) {
    (await openProxied(proxyProtocolPort, number)).destroy();
    (await TestClient.open(gateway.url)).terminate();
  }
  expect((await reload).reload.error).toBeUndefined();
  await client.closed;

  configure({});
  expect((await gateway.reload()).reload.error).toBeUndefined();
  await expect(RawSocket.open({ port: proxyProtocolPort })).rejects.toThrow('ECONNREFUSED');

  configure({ proxyProtocolPort: gateway.port, trustedProxy: ['127.0.0.1'] });
  expect((await gateway.reload()).reload.error).toContain('--proxy-protocol-port and --port are both');
});

test('a slow client behind a proxy is logged with its own address', async () => {
  const hub = await startHub();
  const noRates = { messageBytesPerSecond: 0, groupBytesPerSecond: 0 };
  const limits = { ...noRates, clientBufferBytes: 65_536 };
  const gateway = await startGateway({ hub: hub.address, ...limits, ...TRUSTED });
  const headers = { 'X-Forwarded-For': '198.51.100.1, 203.0.113.7' };
  const slow = await TestClient.open(gateway.url, { headers });
  slow.sendCommand({ cmd: 'add_group', group_id: 'g', id: 1 });
  await slow.reply(1);
  slow.pause();
  const sender = await TestClient.open(gateway.url);
  await until(
    () => {
      sender.sendCommand({ cmd: 'send_to_group', group_id: 'g', message: 'x'.repeat(60_000) });
      return gateway.process.stderr;
    },
    'the line about a slow client',
    (lines) => lines.includes('reads too slowly'),
  );
  const line = gateway.process.stderr.split('\n').find((text) => text.includes('reads too slowly'));
  expect(line).toContain('"address":"203.0.113.7"');
});

test('GET /readyz on the port for clients is 503 until the gateway has reached a hub', async () => {
  const port = await freePort();
  const gateway = await launchGateway({ hub: `127.0.0.1:${port}`, workers: 2 });
  await gateway.process.waitForLine(/^Press Ctrl-C to quit\.$/);
  expect(await adminRequest(gateway.port, '/readyz')).toEqual({ status: 503, body: 'not ready\n' });
  expect(await adminRequest(gateway.port, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
  await startHub({ port });
  await until(
    () => adminRequest(gateway.port, '/readyz'),
    'the port to be ready',
    ({ status }) => status === 200,
  );
  expect((await adminRequest(gateway.adminPort, '/readyz')).status).toBe(200);
});

test('status names the clients behind a proxy whose handshakes were rejected', async () => {
  const hub = await startHub();
  const allowedOrigins = 'https://good.example';
  const gateway = await startGateway({ hub: hub.address, workers: 2, allowedOrigins, ...TRUSTED });
  for (const address of ['203.0.113.7', '203.0.113.8', '203.0.113.7']) {
    const headers = { 'X-Forwarded-For': `198.51.100.1, ${address}` };
    await expect(TestClient.open(gateway.url, { headers })).rejects.toThrow('403');
  }
  const { stdout } = await gatewayCommand('status', `--admin-port=${gateway.adminPort}`);
  expect(stdout).toMatch(/^rejected address +handshakes$/m);
  expect(stdout).toMatch(/^203\.0\.113\.7 +2$/m);
  expect(stdout).toMatch(/^203\.0\.113\.8 +1$/m);
});
