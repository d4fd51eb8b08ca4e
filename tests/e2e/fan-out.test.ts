import {
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
} from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { statsOfAll } from './stats-of-all.ts';
import { BRIEF_HISTORY, untilEmpty } from './until-empty.ts';

const WORKERS = 8;
const CONNECTIONS = 200;
const MESSAGES = 1_000;
const SENDERS = 8;

let hub: TestHub;
let gateway: TestGateway;
let members: TestClient[];

beforeAll(async () => {
  hub = await startHub(BRIEF_HISTORY);
  gateway = await startGateway({ hub: hub.address, workers: WORKERS });
  members = [];
  // One after the other: of many at once, workers that are slow at the moment would get fewer.
  for (let index = 0; index < CONNECTIONS; index++) {
    const options = index % 2 === 0 ? {} : { protocol: 'groupcast.v1' };
    members.push(await TestClient.open(gateway.url, options));
  }
  for (const member of members) member.sendCommand({ cmd: 'add_group', group_id: 'all', id: 'join' });
  await Promise.all(members.map((member) => member.reply('join')));
});
afterAll(killAll);

/**
 * Resolves with `count` messages of a group that a member receives: their texts, and in v1 their
 * offsets.
 */
async function receive(member: TestClient, count: number): Promise<{ texts: string[]; offsets: number[] }> {
  const texts: string[] = [];
  const offsets: number[] = [];
  while (texts.length < count) {
    const { text, json } = await member.next();
    if (member.protocol === '') {
      texts.push(text);
    } else if (json?.['type'] === 'message') {
      texts.push(String(json['message']));
      offsets.push(Number(json['offset']));
    }
  }
  return { texts, offsets };
}

function expectContiguous(offsets: readonly number[]): void {
  const first = offsets[0]!;
  expect(offsets).toEqual(offsets.map((_, index) => first + index));
}

test('the connections are spread over all workers', async () => {
  const { workers } = await statsOfAll(gateway, WORKERS);
  const counts = workers.map(({ connections }) => connections);
  // Even to within a half: none is idle, and none is overrun.
  const even = CONNECTIONS / WORKERS;
  for (const count of counts) {
    expect(count).toBeGreaterThan(even / 2);
    expect(count).toBeLessThan(even * 1.5);
  }
});

test('each of the 200 gets all 1,000 messages of one sender, in the order in which they were sent', async () => {
  const sent = Array.from({ length: MESSAGES }, (_, index) => `message ${index}`);
  const sender = members[0]!;
  for (const message of sent) sender.sendCommand({ cmd: 'send_to_group', group_id: 'all', message });
  for (const { texts, offsets } of await Promise.all(members.map((member) => receive(member, MESSAGES)))) {
    expect(texts).toEqual(sent);
    expectContiguous(offsets);
  }
});

test('all get the messages of many senders in one order, whichever worker a sender is on', async () => {
  const sent: string[] = [];
  // Round by round, so that the senders are interleaved.
  for (let round = 0; round < MESSAGES / SENDERS; round++) {
    for (const [index, sender] of members.slice(0, SENDERS).entries()) {
      const message = `sender ${index} round ${round}`;
      sent.push(message);
      sender.sendCommand({ cmd: 'send_to_group', group_id: 'all', message });
    }
  }
  const [first, ...others] = await Promise.all(members.map((member) => receive(member, MESSAGES)));
  expect(first!.texts.toSorted()).toEqual(sent.toSorted());
  for (const { texts, offsets } of others) {
    expect(texts).toEqual(first!.texts);
    expectContiguous(offsets);
  }
});

test('no member received more, and nothing is left when all have left', async () => {
  for (const member of members) member.sendCommand({ cmd: 'leave_group', group_id: 'all', id: 'leave' });
  await Promise.all(members.map((member) => member.next()));
  for (const member of members) expect(member.messages.rest).toEqual([]);
  expect(members.map((member) => member.messages.all.at(-1)?.json?.['id'])).toEqual(
    members.map(() => 'leave'),
  );
  await Promise.all(members.map((member) => member.close()));
  await untilEmpty(hub, gateway);
});
