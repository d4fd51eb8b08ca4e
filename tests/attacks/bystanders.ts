import { type JsonObject, TestClient } from '@groupcast/testkit';
import type { Bystander } from './rounds.ts';

const CLIENTS = 4;
const GROUP = 'bystanders';
const EVERY_MS = 4;

/** Members of a group that send in turn; a round trip ends with the ack and the own message. */
export async function membersOf(url: string): Promise<Bystander> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => join(url)));
  let sent = 0;
  const roundTrip = async (): Promise<void> => {
    const id = `b${sent++}`;
    const client = clients[sent % CLIENTS];
    client?.sendCommand({ cmd: 'send_to_group', group_id: GROUP, message: id, id });
    await client?.nextMatching(({ json }) => json?.['message'] === id);
  };
  return { roundTrip, everyMs: EVERY_MS };
}

async function join(url: string): Promise<TestClient> {
  const client = await TestClient.open(url, { protocol: 'groupcast.v1' });
  client.sendCommand({ cmd: 'add_group', group_id: GROUP, id: 'join' });
  await client.reply('join');
  return client;
}

const MISSED = 100;
const RETURNING_EVERY_MS = 8;

/**
 * Clients that return in turn to a group in which they missed messages. A round trip ends with the
 * last of these.
 */
export async function returningMembersOf(url: string): Promise<Bystander> {
  const open = (): Promise<TestClient> => TestClient.open(url, { protocol: 'groupcast.v1' });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, open));
  const [first = await open()] = clients;
  const since = await missSome(first);
  const turns = clients.map((client) => ({ client, last: Promise.resolve() }));
  let begun = 0;
  const roundTrip = async (): Promise<void> => {
    const turn = turns[begun++ % CLIENTS];
    // A connection is in the group once: its next recovery starts after the last one.
    if (turn !== undefined) turn.last = turn.last.then(() => recover(turn.client, since));
    await turn?.last;
  };
  return { roundTrip, everyMs: RETURNING_EVERY_MS };
}

/** Publishes some messages, and resolves with the position before them. */
async function missSome(client: TestClient): Promise<JsonObject> {
  const ask = (command: object): Promise<JsonObject> => {
    client.sendCommand({ ...command, group_id: GROUP, id: 'ask' });
    return client.reply('ask');
  };
  const { epoch, offset } = await ask({ cmd: 'group_info' });
  for (let count = 0; count < MISSED; count++)
    await ask({ cmd: 'send_to_group', message: `missed ${count}` });
  return { epoch, offset };
}

async function recover(client: TestClient, since: JsonObject): Promise<void> {
  client.sendCommand({ cmd: 'add_group', group_id: GROUP, since, id: 'join' });
  const { recovered } = await client.reply('join');
  if (recovered !== true) throw new Error('The history is not there any more.');
  await client.nextMatching(({ json }) => json?.['message'] === `missed ${MISSED - 1}`);
  client.sendCommand({ cmd: 'leave_group', group_id: GROUP, id: 'leave' });
  await client.reply('leave');
}
