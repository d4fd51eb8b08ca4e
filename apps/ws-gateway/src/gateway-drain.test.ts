import { afterEach, beforeEach, expect, test } from 'vitest';
import { handshake, RawClient } from './fixtures/raw-client.ts';
import { type StartedGateway, startGateway } from './fixtures/start-gateway.ts';
import { TestClient } from './fixtures/test-client.ts';
import { until } from './fixtures/until.ts';

let started: StartedGateway;

beforeEach(async () => {
  started = await startGateway();
});

afterEach(async () => {
  await started.gateway.close();
});

test('a drain closes every client with its reason, tells v1 clients when to come back, and resolves then', async () => {
  const plain = await TestClient.plain(started.url);
  const v1 = await TestClient.v1(started.url);
  await started.gateway.drain({ windowMs: 0, reason: 'restart' });
  expect(started.gateway.stats()).toMatchObject({ connections: 0, closed: { restart: 2 } });
  const ending = { code: 1012, reason: 'The server restarts. Connect again.' };
  expect(await plain.ended).toEqual(ending);
  expect(await v1.ended).toEqual(ending);
  const event = await v1.event();
  expect(event).toEqual({
    type: 'disconnect',
    ...ending,
    reconnect: true,
    reconnect_after_ms: expect.any(Number),
  });
  expect(event['reconnect_after_ms']).toBeGreaterThanOrEqual(0);
  expect(event['reconnect_after_ms']).toBeLessThan(1_000);
  expect(plain.pending).toEqual([]);
});

test('within the window clients are served until it is their turn', async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => TestClient.v1(started.url)));
  const endings = clients.map((client) => client.ended);
  const drained = started.gateway.drain({ windowMs: 60_000, reason: 'restart' });
  expect((await Promise.race(endings)).code).toBe(1012);
  expect(started.gateway.connections().filter(({ state }) => state === 'open').length).toBe(3);
  const open = clients.find((client) => client.ws.readyState === client.ws.OPEN)!;
  expect(await open.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  // Closing does not wait for the rest of the window.
  await started.gateway.close();
  await drained;
  for (const ending of endings) expect((await ending).code).toBe(1012);
});

test('a drain stops listening; a handshake under way gets 503 and is told to try again', async () => {
  const underWay = new RawClient(started.port);
  underWay.write('GET / HTTP/1.1\r\n');
  // The server has accepted the one that came before this one.
  const client = await TestClient.plain(started.url);
  const drained = started.gateway.drain({ windowMs: 0, reason: 'restart' });
  const late = new TestClient(started.url);
  expect((await late.ended).code).toBe(1006);
  underWay.write(handshake().replace('GET / HTTP/1.1\r\n', ''));
  await underWay.ended;
  expect(underWay.http).toMatch(/^HTTP\/1.1 503 .*\r\nretry-after: 1\r\n/s);
  expect(started.gateway.stats().handshakesRefused.draining).toBe(1);
  expect((await client.ended).code).toBe(1012);
  await drained;
});

test('close does not wait for a handshake that does not finish', async () => {
  const client = new RawClient(started.port);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n');
  const other = await TestClient.plain(started.url);
  await other.ask({ cmd: 'ping', id: 1 });
  await started.gateway.close();
  await client.ended;
});

test('a client that does not answer is cut, and then the drain is over', async () => {
  const client = await RawClient.upgraded(started.port);
  const drained = started.gateway.drain({ windowMs: 0, reason: 'restart' });
  await until(() => client.frames.length === 1);
  started.turn(5);
  await drained;
  expect((await client.ended).code).toBe(1012);
});

test('close leaves nothing: no connection, no group, no subscription, no port', async () => {
  const clients = [await TestClient.plain(started.url), await TestClient.v1(started.url)];
  for (const client of clients) await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
  await Promise.all([started.gateway.close(), started.gateway.close()]);
  for (const client of clients) expect((await client.ended).code).toBe(1001);
  const stats = started.gateway.stats();
  expect([stats.connections, stats.groups, stats.queuedBytes, started.hub.channels]).toEqual([0, 0, 0, 0]);
  expect(started.wheel.waiting).toBe(0);
  const late = new TestClient(started.url);
  expect((await late.ended).code).toBe(1006);
});
