import {
  adminRequest,
  killAll,
  launchGateway,
  RawSocket,
  startGateway,
  startHub,
  TestClient,
  until,
} from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';

afterEach(killAll);

/** Ends each worker as soon as it runs. The primary, which has no channel, keeps running. */
const CRASH = 'data:text/javascript,if(process.send!==undefined)process.exit(7)';

test('F20: workers that die at their start are restarted with backoff, and the gateway is not ready', async () => {
  const DEATHS = 5;
  // Delays of 0.1 s, doubled each time.
  const WAITS_MS = 100 + 200 + 400 + 800;
  const hub = await startHub();
  const startedAt = performance.now();
  const gateway = await launchGateway(
    { hub: hub.address, workers: 1 },
    { env: { NODE_OPTIONS: `--import ${CRASH}` } },
  );
  await until(
    async () => (await gateway.stats()).restarts,
    'a crash loop',
    (restarts) => restarts >= DEATHS - 1,
  );
  expect(performance.now() - startedAt).toBeGreaterThan(WAITS_MS);
  expect((await adminRequest(gateway.adminPort, '/readyz')).status).toBe(503);
  expect((await adminRequest(gateway.adminPort, '/healthz')).status).toBe(200);
  // The schedule limits it: 0.1 + 0.2 + … + 25.6 s are 51 s and nine restarts.
  expect(await gateway.stop()).toMatchObject({ signal: null });
});

test('F21: with few open files, further connections are dropped and counted, and a killed worker is still replaced', async () => {
  const OPEN_FILES = 256;
  const CONNECTS = 400;
  const hub = await startHub();
  const gateway = await startGateway(
    { hub: hub.address, workers: 1 },
    { under: ['prlimit', `--nofile=${OPEN_FILES}:${OPEN_FILES}`] },
  );
  const tries = Array.from({ length: CONNECTS }, () => TestClient.open(gateway.url).catch(() => undefined));
  const clients = (await Promise.all(tries)).filter((client) => client !== undefined);
  expect(clients.length).toBeGreaterThan(100);
  expect(clients.length).toBeLessThan(OPEN_FILES);
  const { workers, restarts } = await gateway.stats();
  const [worker] = workers;
  expect(restarts).toBe(0);
  // When even a dropped connection finds no free file, Node closes it silently.
  const { full } = worker!['handshakesRejected'] as { readonly full: number };
  expect(full).toBeGreaterThan(0);
  expect(full).toBeLessThanOrEqual(CONNECTS - clients.length);
  const lines = gateway.process.lines.all.filter((line) => /refused|full|drop/i.test(line));
  expect(lines.length).toBeLessThan(5);

  process.kill(worker!.pid, 'SIGKILL');
  await Promise.all(clients.map((client) => client.closed));
  const next = await until(() => TestClient.open(gateway.url), 'a place at the next worker');
  next.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
  expect(await next.reply('join')).toMatchObject({ type: 'ack' });
  await next.close();
  const again = await Promise.all(Array.from({ length: 100 }, () => RawSocket.open({ port: gateway.port })));
  for (const socket of again) socket.destroy();
});
