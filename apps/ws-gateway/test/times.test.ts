import { clientFrame, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

const CLOSE_FRAME = 8;
const PING_FRAME = 9;

let started: StartedGateway;

beforeEach(async () => {
  started = await startGateway();
});

afterEach(async () => {
  await started.gateway.close();
});

function has(client: RawClient, opcode: number): boolean {
  return client.frames.some((frame) => frame.opcode === opcode);
}

/** Resolves when the gateway has read all bytes that were written to it before. */
async function gatewayHasRead(): Promise<void> {
  const client = await TestClient.plain(started.url);
  await client.ask({ cmd: 'ping', id: 1 });
  await client.close();
}

describe('heartbeats', () => {
  test('a silent client in plain mode gets a WebSocket ping after 25 s, and stays when it answers', async () => {
    const client = await TestClient.plain(started.url);
    // Its interval starts now, instead of at a random time.
    await client.ask({ cmd: 'ping', id: 1 });
    let pings = 0;
    client.ws.on('ping', () => {
      pings += 1;
    });
    for (let round = 1; round <= 3; round++) {
      started.advance(24);
      await gatewayHasRead();
      expect(pings).toBe(round - 1);
      started.advance(1);
      await untilTurn(() => pings === round);
      await gatewayHasRead();
    }
    expect(client.pending).toEqual([]);
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  });

  test('a silent v1 client gets a ping event, and any command is an answer', async () => {
    const client = await TestClient.v1(started.url);
    await client.ask({ cmd: 'ping', id: 1 });
    for (let round = 0; round < 3; round++) {
      started.advance(25);
      expect(await client.event()).toEqual({ type: 'ping' });
      client.send({ cmd: 'ping' });
      await gatewayHasRead();
    }
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  });

  test('a client that sends gets no ping', async () => {
    const client = await TestClient.v1(started.url);
    for (let round = 0; round < 10; round++) {
      expect(await client.ask({ cmd: 'ping', id: round })).toEqual({ type: 'ack', id: round });
      started.advance(24);
    }
    expect(client.pending).toEqual([]);
  });

  test.each([
    ['plain', []],
    ['v1', ['Sec-WebSocket-Protocol: groupcast.v1']],
  ])('a %s client that does not answer for 10 s is closed with 4002, then cut', async (_, headers) => {
    const client = await RawClient.upgraded(started.port, headers);
    // Its interval starts now, instead of at a random time.
    client.write(clientFrame(0x81, '{"cmd":"ping"}'));
    await untilTurn(() => started.gateway.stats().received === 1);
    started.advance(25 + 9);
    expect(started.gateway.connections().map(({ state }) => state)).toEqual(['open']);
    started.advance(1);
    expect(started.gateway.connections().map(({ state }) => state)).toEqual(['draining']);
    started.advance(5);
    expect((await client.ended).code).toBe(4002);
    expect(has(client, PING_FRAME)).toBe(headers.length === 0);
    await untilTurn(() => started.gateway.stats().connections === 0);
    expect(started.gateway.stats().closed.no_answer).toBe(1);
  });

  test('the first pings of clients that connect together are spread', async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.upgraded(started.port)));
    const asked: number[] = [];
    for (let second = 1; second <= 25; second++) {
      started.advance(1);
      await gatewayHasRead();
      asked.push(clients.filter((client) => has(client, PING_FRAME)).length);
    }
    expect(asked.at(-1)).toBe(50);
    expect(new Set(asked).size).toBeGreaterThan(5);
    for (const client of clients) client.socket.destroy();
  });
});

describe('closing', () => {
  test('a client that does not answer the close frame is cut after 5 s', async () => {
    const client = await RawClient.upgraded(started.port);
    client.write(clientFrame(0x82, 'binary'));
    await untilTurn(() => has(client, CLOSE_FRAME));
    started.advance(4);
    await gatewayHasRead();
    expect(started.gateway.connections().map(({ state }) => state)).toEqual(['draining']);
    started.advance(1);
    expect((await client.ended).code).toBe(1003);
  });

  test('a command during the close is ignored', async () => {
    const client = await RawClient.upgraded(started.port);
    client.write(clientFrame(0x82, 'binary'), clientFrame(0x81, '{"cmd":"add_group","group_id":"g"}'));
    await untilTurn(() => has(client, CLOSE_FRAME));
    await gatewayHasRead();
    expect(started.hub.calls).toEqual([]);
    client.write(clientFrame(0x88, Buffer.from('03eb', 'hex')));
    expect((await client.ended).code).toBe(1003);
  });

  test("a client's close frame is answered with its code, and ends its memberships at once", async () => {
    const client = await RawClient.upgraded(started.port);
    client.write(clientFrame(0x81, '{"cmd":"add_group","group_id":"g"}'));
    client.write(clientFrame(0x88, Buffer.concat([Buffer.from('0bb8', 'hex'), Buffer.from('bye')])));
    expect(await client.ended).toEqual({ code: 3_000, reason: 'bye' });
    await untilTurn(() => started.gateway.stats().connections === 0);
    expect(started.gateway.stats()).toMatchObject({ joins: 1, leaves: 1, closed: { by_client: 1 } });
  });

  test('a client that sends a close frame and stays is in no group, and cut after 5 s', async () => {
    const client = await RawClient.upgraded(started.port);
    client.write(clientFrame(0x81, '{"cmd":"add_group","group_id":"g"}'));
    await untilTurn(() => started.gateway.stats().joins === 1);
    // A paused client does not see the end of the gateway's side.
    client.socket.pause();
    client.write(clientFrame(0x88, Buffer.from('03e8', 'hex')));
    await untilTurn(() => started.gateway.stats().leaves === 1);
    expect(started.gateway.connections()).toMatchObject([{ state: 'draining', groups: 0 }]);
    started.advance(5);
    await untilTurn(() => started.gateway.stats().connections === 0);
    expect(started.gateway.stats().closed.by_client).toBe(1);
    client.socket.destroy();
  });

  test('a client that ends its side of TCP without a close frame is closed', async () => {
    const client = await RawClient.upgraded(started.port);
    client.write(clientFrame(0x81, '{"cmd":"add_group","group_id":"g"}'));
    client.socket.end();
    expect((await client.ended).code).toBeUndefined();
    await untilTurn(() => started.gateway.stats().connections === 0);
    expect(started.gateway.stats()).toMatchObject({ leaves: 1, closed: { lost: 1 } });
  });

  test('a client that ends its side and never reads is detected at the next write, and cut', async () => {
    const client = await RawClient.upgraded(started.port);
    client.socket.pause();
    client.write(clientFrame(0x81, '{"cmd":"add_group","group_id":"g","id":1}'));
    await untilTurn(() => started.gateway.connections().every(({ groups }) => groups === 1));
    const message = 'x'.repeat(64 * 1024);
    await untilTurn(() => {
      started.hub.publish('group:g', message);
      return started.gateway.stats().bufferedBytes > 0;
    });
    client.socket.end();
    await untilTurn(() => {
      started.hub.publish('group:g', 'x');
      return started.gateway.connections().every(({ state }) => state !== 'open');
    });
    expect(started.gateway.stats().leaves).toBe(1);
    started.advance(5);
    await untilTurn(() => started.gateway.stats().connections === 0);
    expect(started.gateway.stats().bufferedBytes).toBe(0);
    client.socket.destroy();
  });
});

test('a join that the hub does not answer within 10 s is undone', async () => {
  const client = await TestClient.v1(started.url);
  started.hub.away = true;
  client.send({ cmd: 'add_group', group_id: 'g', id: 1 });
  await untilTurn(() => started.gateway.stats().groups === 1);
  started.advance(10);
  expect(await client.event()).toMatchObject({ type: 'error', id: 1, code: 'hub_unavailable' });
  started.hub.comeBack();
  started.hub.publish('group:g', 'not for it');
  expect(await client.ask({ cmd: 'ping', id: 2 })).toEqual({ type: 'ack', id: 2 });
});
