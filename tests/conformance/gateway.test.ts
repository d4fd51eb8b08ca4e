import {
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewaySuite } from './gateway-suite.ts';
import { expectHarmlessLog } from './harmless-log.ts';
import { PRISTINE_ENV, pristinePids } from './pristine-objects.ts';
import { RawClient } from './raw-client.ts';

/** Raised limits: the flood fills the buffers of members that do not read. */
const FLOODED = { messageBytesPerSecond: 0, groupBytesPerSecond: 0 };

let hub: TestHub;
let gateway: TestGateway;
let pids: number[];

beforeAll(async () => {
  hub = await startHub({}, { env: PRISTINE_ENV });
  gateway = await startGateway({ hub: hub.address, workers: 2, ...FLOODED }, { env: PRISTINE_ENV });
  pids = await workerPids();
});
afterAll(killAll);

async function workerPids(): Promise<number[]> {
  return (await gateway.stats()).workers.map(({ pid }) => pid);
}

describe('a gateway', () => {
  gatewaySuite(() => ({
    port: gateway.port,
    connections: async () => (await gateway.stats()).connections,
    memoryBytes: async () =>
      (await gateway.stats()).workers.reduce((sum, { memoryBytes }) => sum + Number(memoryBytes), 0),
  }));
});

test('W6: fast joins and leaves rarely reach the hub', async () => {
  const client = await TestClient.open(gateway.url);
  const received = await hubReceived();
  for (let round = 0; round < 400; round++) {
    client.sendCommand({ cmd: 'add_group', group_id: 'flapping' });
    client.sendCommand({ cmd: 'leave_group', group_id: 'flapping' });
  }
  client.sendCommand({ cmd: 'ping', id: 1 });
  await client.reply(1);
  await client.close();
  await untilNothingIsFollowed();
  expect((await hubReceived()) - received).toBeLessThan(20);
});

test('W7: messages to groups without members leave no state behind', async () => {
  const client = await TestClient.open(gateway.url);
  for (let group = 0; group < 1_500; group++) {
    client.sendCommand({ cmd: 'send_to_group', group_id: `fresh ${group}`, message: 'm', id: group });
  }
  expect(await client.reply(1_499)).toMatchObject({ type: 'ack' });
  await client.close();
  await untilNothingIsFollowed();
});

// The last test: it ends the gateway of the others.
test('afterwards the same processes run, and exit cleanly with unchanged objects', async () => {
  expect(await workerPids()).toEqual(pids);
  expect((await gateway.stats()).restarts).toBe(0);
  const slow = (await gateway.stats()).workers.map(({ closed }) => (closed as { slow: number }).slow);
  expect(slow.reduce((sum, count) => sum + count)).toBe(51);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(await hub.stop()).toEqual({ code: 0, signal: null });
  const { stderr } = gateway.process;
  expect(pristinePids(stderr).sort()).toEqual([...pids, gateway.process.pid].sort());
  expect(pristinePids(hub.process.stderr)).toEqual([hub.process.pid]);
  expectHarmlessLog(stderr);
  expectHarmlessLog(hub.process.stderr);
});

describe('W18: with a list of allowed origins', () => {
  let strict: TestGateway;
  beforeAll(async () => {
    hub = await startHub();
    strict = await startGateway({ hub: hub.address, allowedOrigins: 'https://good.example' });
  });

  test.each([
    'https://evil.example',
    'https://good.example.evil',
    'https://evil.example/https://good.example',
    'http://good.example',
    'https://good.example:8443',
    'https://sub.good.example',
    'null',
    '',
  ])('"%s" gets 403', async (origin) => {
    await expect(RawClient.open(strict.port, [`Origin: ${origin}`])).rejects.toThrow('HTTP/1.1 403 ');
  });

  test('a missing origin gets 403, and an allowed one is accepted', async () => {
    await expect(RawClient.open(strict.port)).rejects.toThrow('HTTP/1.1 403 ');
    const client = await TestClient.open(strict.url, { headers: { origin: 'https://good.example' } });
    expect((await client.close()).code).toBe(1000);
  });
});

/** Messages that the hub received from the gateway's workers. */
async function hubReceived(): Promise<number> {
  return (await hub.stats()).peers.reduce((sum, { received }) => sum + received, 0);
}

async function untilNothingIsFollowed(): Promise<void> {
  await until(
    async () => [(await gateway.stats()).groups, (await hub.stats()).channels],
    'no group in the gateway, no channel in the hub',
    ([groups, channels]) => groups === 0 && channels === 0,
  );
}
