import {
  type HubPeer,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { statsOfAll } from './stats-of-all.ts';

const WORKERS = 3;
const MESSAGES = 200;

let hub: TestHub;
let gateway: TestGateway;
let clients: TestClient[];

beforeAll(async () => {
  hub = await startHub();
  gateway = await startGateway({ hub: hub.address, workers: WORKERS });
  await statsOfAll(gateway, WORKERS);
  // Workers take turns with new connections, so each has some of these.
  clients = [];
  for (let index = 0; index < 2 * WORKERS; index++) clients.push(await TestClient.open(gateway.url));
});
afterAll(killAll);

/** The numbers that the hub counts for each worker, the largest first. */
async function countsOf(field: 'received' | 'delivered' | 'subscriptions'): Promise<number[]> {
  const { peers } = await hub.stats();
  return peers.map((peer: HubPeer) => peer[field]).toSorted((one, other) => other - one);
}

async function sendFromAll(message: string): Promise<void> {
  for (const [index, client] of clients.entries()) {
    for (let count = 1; count <= MESSAGES; count++) {
      const id = count === MESSAGES ? `${message} ${index}` : undefined;
      client.sendCommand({ cmd: 'send_to_group', group_id: 'room', message, id });
    }
  }
  await Promise.all(clients.map((client, index) => client.reply(`${message} ${index}`)));
}

test('the hub writes publications only to the worker that has a member', async () => {
  const member = clients[0]!;
  member.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
  await member.reply('join');
  expect(await countsOf('subscriptions')).toEqual([1, 0, 0]);
  await sendFromAll('one');
  const total = clients.length * MESSAGES;
  expect((await hub.stats()).published).toBe(total);
  expect(await countsOf('delivered')).toEqual([total, 0, 0]);
  // The others have published, and are no strangers to the hub.
  expect((await countsOf('received')).every((count) => count > 0)).toBe(true);
  await until(
    () => member.messages.all.filter(({ text }) => text === 'one').length,
    'all messages at the member',
    (count) => count === total,
  );
});

test('the hub writes nothing at all once the last member has left', async () => {
  clients[0]!.sendCommand({ cmd: 'leave_group', group_id: 'room' });
  await until(
    () => countsOf('subscriptions'),
    'the end of the subscription',
    (counts) => counts.every((count) => count === 0),
  );
  const { delivered } = await hub.stats();
  await sendFromAll('two');
  expect((await hub.stats()).delivered).toBe(delivered);
});
