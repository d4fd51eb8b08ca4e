import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adminRequest,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openOnAll } from './open-on-all.ts';
import { statsOfAll } from './stats-of-all.ts';

const WORKERS = 2;

let hub: TestHub;
let folder: string;
let trouble: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'groupcast-reload-'));
  trouble = join(folder, 'trouble');
  hub = await startHub();
});
afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true });
});

/**
 * A gateway whose workers do this before they load the program, once the file with the trouble is
 * there.
 */
function startTroubled(action: string, drainSeconds: number): Promise<TestGateway> {
  const code = `import cluster from 'node:cluster';
    import { existsSync } from 'node:fs';
    if (cluster.isWorker && existsSync(${JSON.stringify(trouble)})) { ${action} }`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  return startGateway({ hub: hub.address, workers: WORKERS, drainSeconds }, { env });
}

function begin(): void {
  writeFileSync(trouble, '');
}

function end(): void {
  rmSync(trouble);
}

function openClients(gateway: TestGateway, count: number): Promise<TestClient[]> {
  return Promise.all(Array.from({ length: count }, () => TestClient.open(gateway.url)));
}

async function expectServed(clients: readonly TestClient[]): Promise<void> {
  for (const client of clients) {
    client.sendCommand({ cmd: 'ping', id: 'served' });
    expect(await client.reply('served')).toEqual({ type: 'ack', id: 'served' });
  }
}

function untilNoWorkerIsLeft(gateway: TestGateway): Promise<unknown> {
  return until(
    () => gateway.process.descendants(),
    'the end of all workers',
    (pids) => pids.length === 0,
  );
}

test('a reload with workers that die at their start fails, and the old ones continue', async () => {
  const gateway = await startTroubled('process.exit(3)', 0);
  const clients = await openClients(gateway, 4);
  const before = await statsOfAll(gateway, WORKERS);
  begin();
  const { reload } = await gateway.reload();
  expect(reload).toMatchObject({ generation: 1, done: 0, failed: 1 });
  expect(reload.error).toContain('die repeatedly, the last one of exit code 3');
  expect((await adminRequest(gateway.adminPort, '/readyz')).status).toBe(200);
  await expectServed(clients);
  end();
  const after = await statsOfAll(gateway, WORKERS);
  expect(after.workers.map(({ pid }) => pid)).toEqual(before.workers.map(({ pid }) => pid));

  expect((await gateway.reload()).reload).toMatchObject({ generation: 2, done: 1, failed: 1 });
  for (const { closed } of clients) expect((await closed).code).toBe(1012);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});

// Until it is killed, or the primary lets go of it.
const NEVER_LOADS =
  'setInterval(() => {}, 1_000); await new Promise((loaded) => process.once("SIGUSR2", loaded));';

test('SIGTERM while new workers start ends all processes gracefully', async () => {
  const gateway = await startTroubled(NEVER_LOADS, 0);
  const old = (await statsOfAll(gateway, WORKERS)).workers.map(({ pid }) => pid);
  const clients = await openClients(gateway, 4);
  begin();
  const known = new Set([...gateway.process.descendants(), ...old]);
  gateway.process.kill('SIGHUP');
  await gateway.process.waitForLine(/new workers start/);
  const held = await until(
    () => gateway.process.descendants().filter((pid) => !known.has(pid)),
    'the new workers',
    (pids) => pids.length === WORKERS,
  );
  gateway.process.kill('SIGTERM');
  await expectClosed(clients, 1001);
  for (const pid of held) process.kill(pid, 'SIGUSR2');
  expect(await gateway.process.finished).toEqual({ code: 0, signal: null });
  await untilNoWorkerIsLeft(gateway);
  expect(gateway.process.stderr).toContain('not reloaded: The gateway is shutting down');
  // Those that had been there, and no new one.
  expect(gateway.process.stderr.match(/worker listens/g)).toHaveLength(WORKERS);
});

async function expectClosed(clients: readonly TestClient[], code: number): Promise<void> {
  for (const { closed } of clients) expect((await closed).code).toBe(code);
}

test('SIGTERM while old workers drain ends old and new ones gracefully', async () => {
  const gateway = await startTroubled('', 2);
  const clients = await openOnAll(gateway, WORKERS, 10);
  gateway.process.kill('SIGHUP');
  // The first worker drains; the other waits for its turn, which will not come.
  await Promise.race(clients.map(({ closed }) => closed));
  const late = await openClients(gateway, 4);
  gateway.process.kill('SIGTERM');
  await expectClosed(late, 1001);
  const codes = new Set<number>();
  for (const { closed } of clients) codes.add((await closed).code);
  expect([...codes].sort()).toEqual([1001, 1012]);
  expect(await gateway.process.finished).toEqual({ code: 0, signal: null });
  await untilNoWorkerIsLeft(gateway);
});

test('an old worker that dies during the reload is not replaced, a new one is', async () => {
  const gateway = await startTroubled('', 3);
  await openOnAll(gateway, WORKERS, 10);
  gateway.process.kill('SIGHUP');
  const { workers } = await until(
    () => gateway.stats(),
    'an old worker that waits for its turn while another one drains',
    (stats) => ['retired', 'draining'].every((wanted) => stats.workers.some(({ state }) => state === wanted)),
  );
  const old = workers.find(({ state }) => state === 'retired')!;
  const young = workers.find(({ state }) => state === 'up')!;
  process.kill(old.pid, 'SIGKILL');
  process.kill(young.pid, 'SIGKILL');
  await gateway.process.waitForLine(/died of signal SIGKILL before its drain/);
  const { reload } = await until(
    () => gateway.stats(),
    'the end of the reload',
    (stats) => stats.reload.state === 'idle',
  );
  expect(reload).toMatchObject({ generation: 2, done: 1, failed: 0 });
  const { restarts } = await statsOfAll(gateway, WORKERS);
  expect(restarts).toBe(1);
});

test('connections that arrive while a worker hangs are served by the others, and it ends gracefully', async () => {
  // It does nothing until the file is there, and then ends as by SIGTERM, in the same turn of its
  // event loop.
  const stuck = `process.on('SIGUSR2', () => {
    console.error('stuck');
    while (!existsSync(${JSON.stringify(trouble)}));
    process.emit('SIGTERM', 'SIGTERM');
  });`;
  const code = `import cluster from 'node:cluster';
    import { existsSync } from 'node:fs';
    if (cluster.isWorker) { ${stuck} }`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  const gateway = await startGateway({ hub: hub.address, workers: WORKERS, drainSeconds: 0 }, { env });
  const { workers } = await statsOfAll(gateway, WORKERS);
  process.kill(workers[0]!.pid, 'SIGUSR2');
  await gateway.process.waitForLine(/^stuck$/);
  // Workers accept by themselves: one that hangs gets none.
  await expectServed(await openClients(gateway, 4));
  begin();
  await gateway.process.waitForLine(/worker died of exit code 0 and is restarted/);
});

test('a reload succeeds while the hub is unreachable, and the gateway stays ready', async () => {
  const gateway = await startTroubled('', 0);
  await statsOfAll(gateway, WORKERS);
  expect(await hub.stop()).toEqual({ code: 0, signal: null });
  await until(
    async () => (await gateway.stats()).workers,
    'links to the hub that are lost',
    (workers) => workers.length === WORKERS && workers.every((worker) => worker.hub.state !== 'open'),
  );
  const { reload } = await gateway.reload();
  expect(reload).toMatchObject({ generation: 2, done: 1, failed: 0 });
  await gateway.process.waitForLine(/hub unreachable; the new workers serve without it/);
  expect((await adminRequest(gateway.adminPort, '/readyz')).status).toBe(200);
  await expectServed(await openClients(gateway, 2));

  hub = await startHub({ port: hub.port });
  await statsOfAll(gateway, WORKERS);
  const [client] = await openClients(gateway, 1);
  client!.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
  expect(await client!.reply('join')).toMatchObject({ type: 'ack' });
});
