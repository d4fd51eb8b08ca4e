import {
  type JsonObject,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const V1 = { protocol: 'groupcast.v1' };
const FULL = { type: 'error', code: 'channel_limit' };

/** Bound for an immediate reply: later ones take 10 s. */
const AT_ONCE_MS = 3_000;

let hub: TestHub;
let gateway: TestGateway;
let member: TestClient;
let plain: TestClient;

/** Starts a hub with a limit of channels for each worker. */
function startSmallHub(channelsPerPeerMax: number, ports: object = {}): Promise<TestHub> {
  return startHub({ channelsPerPeerMax, ...ports });
}

async function join(client: TestClient, group_id: string): Promise<JsonObject> {
  client.sendCommand({ cmd: 'add_group', group_id, id: group_id });
  return (await client.reply(group_id)) as JsonObject;
}

beforeAll(async () => {
  hub = await startSmallHub(4);
  gateway = await startGateway({ hub: hub.address });
  member = await TestClient.open(gateway.url, V1);
  plain = await TestClient.open(gateway.url);
  await member.next();
  for (const name of ['a', 'b', 'c', 'd']) expect(await join(member, name)).toMatchObject({ type: 'ack' });
});
afterAll(killAll);

test('a join above the group limit is rejected immediately with its code, with an id or without, and others go on', async () => {
  const askedAt = performance.now();
  for (const client of [member, plain]) {
    expect(await join(client, 'e')).toMatchObject({ ...FULL, id: 'e' });
    client.sendCommand({ cmd: 'add_group', group_id: 'f' });
    expect((await client.next()).json).toMatchObject({ ...FULL, group_id: 'f' });
  }
  expect(performance.now() - askedAt).toBeLessThan(AT_ONCE_MS);
  expect(await join(plain, 'a')).toMatchObject({ type: 'ack' });
  member.sendCommand({ cmd: 'send_to_group', group_id: 'a', message: 'to all' });
  expect((await plain.next()).text).toBe('to all');
  expect((await member.next()).json).toMatchObject({ type: 'message', message: 'to all' });
  expect((await gateway.stats()).groups).toBe(4);
});

test('a group that is gone makes room for another', async () => {
  member.sendCommand({ cmd: 'leave_group', group_id: 'd', id: 'leave' });
  await member.reply('leave');
  await until(
    () => join(member, 'e'),
    'a place for a group',
    ({ type }) => type === 'ack',
  );
});

test('after a hub with less room was started, each member is told that it has a gap, or that it is out', async () => {
  const { port, adminPort } = hub;
  await hub.kill();
  hub = await startSmallHub(2, { port, adminPort });
  const told: JsonObject[] = [];
  for (let count = 0; count < 4; count++) {
    const { json } = await member.nextMatching(
      ({ json }) => json?.['type'] === 'gap' || json?.['type'] === 'error',
    );
    told.push(json!);
  }
  expect(told.map(({ group_id }) => group_id).toSorted()).toEqual(['a', 'b', 'c', 'e']);
  const outOf = told.filter(({ type }) => type === 'error');
  expect(outOf).toMatchObject([FULL, FULL]);
  const stats = await gateway.stats();
  expect(stats.groups).toBe(2);
  const [worker] = stats.workers;
  expect(worker).toMatchObject({
    rejected: { channel_limit: expect.any(Number) },
    hub: { subscriptionsRejected: expect.any(Number) },
  });
  // What remains is followed in earnest.
  for (const { group_id } of told.filter(({ type }) => type === 'gap')) {
    member.sendCommand({ cmd: 'send_to_group', group_id, message: 'still' });
    expect((await member.nextMatching(({ json }) => json?.['type'] === 'message')).json).toMatchObject({
      group_id,
      message: 'still',
    });
  }
});
