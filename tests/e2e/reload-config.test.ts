import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adminRequest,
  freePort,
  killAll,
  RawSocket,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gatewayCommand } from './cli.ts';
import { statsOfAll } from './stats-of-all.ts';

const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

let hub: TestHub;
let folder: string;
let config: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'groupcast-reload-'));
  config = join(folder, 'gateway.json');
  hub = await startHub();
});
afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true });
});

function configure(values: object): void {
  writeFileSync(config, JSON.stringify(values));
}

function pidsOf(stats: { readonly workers: readonly { readonly pid: number }[] }): readonly number[] {
  return stats.workers.map(({ pid }) => pid);
}

/** Sends a message of this many bytes. Resolves with whether the gateway takes it. */
async function takes(gateway: TestGateway, bytes: number): Promise<boolean> {
  const client = await TestClient.open(gateway.url);
  const command = { cmd: 'ping', id: 1, filler: '' };
  command.filler = 'x'.repeat(bytes - JSON.stringify(command).length);
  client.sendCommand(command);
  const end = await Promise.race([client.reply(1), client.closed]);
  if ('code' in end) expect(end.code).toBe(1009);
  else await client.close();
  return !('code' in end);
}

test('a reload applies the file as it is now: limits, the number of workers, the port', async () => {
  configure({ messageBytesMax: 200, workers: 1 });
  const gateway = await startGateway({ hub: hub.address, config, workers: undefined, drainSeconds: 0 });
  expect([await takes(gateway, 200), await takes(gateway, 201)]).toEqual([true, false]);
  const before = await statsOfAll(gateway, 1);

  configure({ messageBytesMax: 300, workers: 3 });
  const { reload } = await gateway.reload();
  expect(reload).toEqual({ generation: 2, state: 'idle', asked: 1, done: 1, failed: 0 });
  const after = await statsOfAll(gateway, 3);
  expect(pidsOf(after)).not.toContain(pidsOf(before)[0]);
  for (let worker = 0; worker < 3; worker++) {
    expect([await takes(gateway, 300), await takes(gateway, 301)]).toEqual([true, false]);
  }
  const metrics = (await adminRequest(gateway.adminPort, '/metrics')).body;
  expect(metrics).toContain('groupcast_gateway_reloads_total{outcome="done"} 1\n');
});

test('a configuration that does not validate changes nothing, and every problem of it is said', async () => {
  configure({ messageBytesMax: 200 });
  const gateway = await startGateway({ hub: hub.address, config, workers: 2, drainSeconds: 0 });
  const client = await TestClient.open(gateway.url);
  const before = await statsOfAll(gateway, 2);
  configure({ messageBytesMax: -1, drainSeconds: 'long', prot: 1 });
  const { code, stdout, stderr } = await gatewayCommand('reload', `--admin-port=${gateway.adminPort}`);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  for (const problem of ['messageBytesMax', 'drainSeconds', 'prot']) {
    expect(stderr).toContain(`"${problem}"`);
    await gateway.process.waitForLine(new RegExp(`not reloaded: .*${problem}`));
  }
  const after = await statsOfAll(gateway, 2);
  expect(pidsOf(after)).toEqual(pidsOf(before));
  expect(after.reload).toMatchObject({ generation: 1, done: 0, failed: 1 });
  expect((await adminRequest(gateway.adminPort, '/readyz')).status).toBe(200);
  client.sendCommand({ cmd: 'ping', id: 1 });
  expect(await client.reply(1)).toEqual({ type: 'ack', id: 1 });
  const status = await gatewayCommand('status', `--admin-port=${gateway.adminPort}`);
  expect(status.stdout).toContain('The last reload failed: ');

  // The fixed configuration clears the error.
  configure({ messageBytesMax: 300 });
  const fixed = await gatewayCommand('reload', `--admin-port=${gateway.adminPort}`);
  expect(fixed).toMatchObject({ code: 0, stderr: '' });
  expect(fixed.stdout).toMatch(/reloaded: 2 workers serve\n$/);
  expect((await client.closed).code).toBe(1012);
  const { reload } = await gateway.stats();
  expect(reload).toEqual({ generation: 2, state: 'idle', asked: 2, done: 1, failed: 1 });
});

test('requests during a reload share one more, with the configuration of that time', async () => {
  configure({ messageBytesMax: 200 });
  const gateway = await startGateway({ hub: hub.address, config, drainSeconds: 0 });
  // Does not answer the close frame, and holds the old worker until it is cut, or leaves.
  const silent = await RawSocket.open({ port: gateway.port });
  await silent.write(HANDSHAKE);
  await silent.waitFor((received) => received.includes('\r\n\r\n'));
  gateway.process.kill('SIGHUP');
  await until(
    () => gateway.stats(),
    'the first reload to drain the old worker',
    ({ reload }) => reload.state === 'draining',
  );
  configure({ messageBytesMax: 300 });
  for (const asked of [2, 3]) {
    gateway.process.kill('SIGHUP');
    await until(
      () => gateway.stats(),
      `reload ${asked} to be asked for`,
      ({ reload }) => reload.asked === asked,
    );
  }
  configure({ messageBytesMax: 400 });
  silent.destroy();
  const { reload } = await until(
    () => gateway.stats(),
    'the end of all reloads',
    (stats) => stats.reload.state === 'idle',
  );
  expect(reload).toEqual({ generation: 3, state: 'idle', asked: 3, done: 2, failed: 0 });
  expect([await takes(gateway, 400), await takes(gateway, 401)]).toEqual([true, false]);
});

test('a reload moves the gateway to another port; a port in use is rejected', async () => {
  configure({ port: await freePort() });
  const gateway = await startGateway({ hub: hub.address, config, port: undefined, drainSeconds: 0 });
  expect(gateway.port).toBe(0);
  configure({ port: hub.port });
  const { reload, listen } = await gateway.reload();
  expect(reload).toMatchObject({ generation: 1, failed: 1 });
  expect(reload.error).toContain(`${hub.port} is in use by another process`);

  const port = await freePort();
  configure({ port });
  expect((await gateway.reload()).listen).toBe(`ws://127.0.0.1:${port}`);
  await (await TestClient.open(`ws://127.0.0.1:${port}`)).close();
  await expect(TestClient.open(String(listen))).rejects.toThrow('ECONNREFUSED');
});

test('the command stop ends a gateway gracefully, and returns when it is gone', async () => {
  const gateway = await startGateway({ hub: hub.address, drainSeconds: 0.5 });
  const client = await TestClient.open(gateway.url);
  const { code, stdout } = await gatewayCommand('stop', `--admin-port=${gateway.adminPort}`);
  expect([code, stdout]).toEqual([0, 'stopped\n']);
  expect((await client.closed).code).toBe(1001);
  expect(await gateway.process.exited).toEqual({ code: 0, signal: null });
  const again = await gatewayCommand('stop', `--admin-port=${gateway.adminPort}`);
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toContain('Nothing answers');
});
