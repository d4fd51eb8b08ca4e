import { clientFrame, handshake, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

beforeEach(async () => {
  started = await startGateway();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await started.gateway.close();
});

test('a drain closes every client with its reason, tells v1 clients when to reconnect, and then resolves', async () => {
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

test('within the window clients are served until their time', async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => TestClient.v1(started.url)));
  const endings = clients.map((client) => client.ended);
  // Its time is at the beginning of its part of the window.
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
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

test('a drain stops listening; a pending handshake gets 503 and retry-after', async () => {
  const underWay = new RawClient(started.port);
  underWay.write('GET / HTTP/1.1\r\n');
  // The server has accepted the connection before this one.
  const client = await TestClient.plain(started.url);
  const drained = started.gateway.drain({ windowMs: 0, reason: 'restart' });
  const late = new TestClient(started.url);
  expect((await late.ended).code).toBe(1006);
  underWay.write(handshake().replace('GET / HTTP/1.1\r\n', ''));
  await underWay.ended;
  expect(underWay.http).toMatch(/^HTTP\/1.1 503 .*\r\nretry-after: [123]\r\n/s);
  expect(started.gateway.stats().handshakesRejected.draining).toBe(1);
  expect((await client.ended).code).toBe(1012);
  await drained;
});

describe('a reload', () => {
  test('stops listening first, and closes nothing', async () => {
    const client = await TestClient.v1(started.url);
    started.gateway.stopListening();
    started.gateway.stopListening();
    const late = new TestClient(started.url);
    expect((await late.ended).code).toBe(1006);
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    expect(started.gateway.stats()).toMatchObject({ connections: 1, handshakesRejected: { draining: 0 } });
  });

  test('accepts pending handshakes, and closes their connections within the window', async () => {
    const begun = new RawClient(started.port);
    begun.write('GET / HTTP/1.1\r\n');
    const silent = new RawClient(started.port);
    // The server has accepted the connections before this one.
    const client = await TestClient.plain(started.url);
    started.gateway.stopListening();
    const drained = started.gateway.drain({ windowMs: 400, reason: 'restart', handshakes: 'accept' });
    begun.write(handshake().replace('GET / HTTP/1.1\r\n', ''));
    silent.write(handshake());
    expect((await client.ended).code).toBe(1012);
    await untilTurn(() => [begun, silent].every(({ frames }) => frames.length > 0));
    for (const { http, socket } of [begun, silent]) {
      expect(http).toMatch(/^HTTP\/1.1 101 /);
      socket.end();
    }
    for (const { ended } of [begun, silent]) expect((await ended).code).toBe(1012);
    await drained;
    expect(started.gateway.stats()).toMatchObject({
      connections: 0,
      accepted: 3,
      closed: { restart: 3 },
      handshakesRejected: { draining: 0 },
    });
  });

  test('does not end while a handshake is pending, even without connections', async () => {
    const underWay = new RawClient(started.port);
    underWay.write('GET / HTTP/1.1\r\n');
    await (await TestClient.plain(started.url)).close();
    await untilTurn(() => started.gateway.stats().connections === 0);
    let isOver = false;
    const drained = started.gateway.drain({ windowMs: 0, reason: 'restart', handshakes: 'accept' });
    void drained.then(() => {
      isOver = true;
    });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(isOver).toBe(false);
    underWay.write(handshake().replace('GET / HTTP/1.1\r\n', ''));
    await untilTurn(() => underWay.frames.length > 0);
    underWay.socket.end();
    expect((await underWay.ended).code).toBe(1012);
    await drained;
  });

  test('serves a connection that opens within the window until its time', async () => {
    const underWay = new RawClient(started.port);
    const client = await TestClient.plain(started.url);
    void started.gateway.drain({ windowMs: 600_000, reason: 'restart', handshakes: 'accept' });
    underWay.write(handshake());
    await untilTurn(() => started.gateway.stats().connections === 2);
    underWay.write(clientFrame(0x81, '{"cmd":"ping","id":1}'));
    await untilTurn(() => underWay.frames.length > 0);
    expect(String(underWay.frames[0]?.payload)).toBe('{"type":"ack","id":1}');
    const closed = started.gateway.close();
    expect((await client.ended).code).toBe(1012);
    await untilTurn(() => underWay.frames.length > 1);
    underWay.socket.end();
    expect((await underWay.ended).code).toBe(1012);
    await closed;
  });

  test('cuts only handshakes that do not finish in time while it has stopped listening', async () => {
    await started.gateway.close();
    started = await startGateway({ handshakeMs: 100 });
    const begun = new RawClient(started.port);
    begun.write('GET / HTTP/1.1\r\n');
    const silent = new RawClient(started.port);
    const client = await TestClient.v1(started.url);
    started.gateway.stopListening();
    await Promise.all([begun.ended, silent.ended]);
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  });

  test('waits for an unfinished handshake no longer than the time of a handshake', async () => {
    await started.gateway.close();
    started = await startGateway({ handshakeMs: 100 });
    const begun = new RawClient(started.port);
    begun.write('GET / HTTP/1.1\r\n');
    const silent = new RawClient(started.port);
    await (await TestClient.plain(started.url)).close();
    await started.gateway.drain({ windowMs: 0, reason: 'restart', handshakes: 'accept' });
    await Promise.all([begun.ended, silent.ended]);
    expect(begun.http).not.toContain('101');
  });
});

test('close does not wait for an unfinished handshake', async () => {
  const client = new RawClient(started.port);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n');
  const other = await TestClient.plain(started.url);
  await other.ask({ cmd: 'ping', id: 1 });
  await started.gateway.close();
  await client.ended;
});

test('a client that does not answer is cut, and then the drain ends', async () => {
  const client = await RawClient.upgraded(started.port);
  const drained = started.gateway.drain({ windowMs: 0, reason: 'restart' });
  await untilTurn(() => client.frames.length === 1);
  started.advance(5);
  await drained;
  expect((await client.ended).code).toBe(1012);
});

test('close leaves no connection, group, subscription or port', async () => {
  const clients = [await TestClient.plain(started.url), await TestClient.v1(started.url)];
  for (const client of clients) await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
  await Promise.all([started.gateway.close(), started.gateway.close()]);
  for (const client of clients) expect((await client.ended).code).toBe(1001);
  const stats = started.gateway.stats();
  expect([stats.connections, stats.groups, stats.bufferedBytes, started.hub.channels]).toEqual([0, 0, 0, 0]);
  expect(started.wheel.waiting).toBe(0);
  const late = new TestClient(started.url);
  expect((await late.ended).code).toBe(1006);
});
