import { fileURLToPath } from 'node:url';
import {
  type JsonObject,
  killAll,
  REPOSITORY,
  startGateway,
  startHub,
  startProcess,
  TestClient,
  type TestGateway,
} from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';
import { Attacker } from './attacker.ts';
import { membersOf } from './bystanders.ts';
import { expectUndisturbed } from './rounds.ts';

const READERS = 50;
const READER_BYTES_PER_SECOND = 2_000_000;
const READ_GROUP = 'readers';
const PROGRAM = fileURLToPath(new URL('./attackers/careful-readers.ts', import.meta.url));

/** A hub with a history so small that an attack of a second could evict all of it. */
const SMALL_HISTORY = { historyTotalBytes: 4 * 1024 * 1024 };

afterEach(killAll);

async function startReaders({ port }: TestGateway): Promise<void> {
  const args = ['--import', 'tsx', PROGRAM, port, READ_GROUP, READERS, READER_BYTES_PER_SECOND].map(String);
  const readers = startProcess(process.execPath, args, { cwd: REPOSITORY });
  await readers.waitForLine(/^joined$/);
}

async function closedAsSlow(gateway: TestGateway): Promise<number> {
  const { workers } = await gateway.stats();
  return workers.reduce((sum, { closed }) => sum + (closed as { readonly slow: number }).slow, 0);
}

test.each([1, 20])(
  'members are not closed, and other groups not slowed down, when %i clients send 20 MB/s to them',
  async (count) => {
    const hub = await startHub();
    const gateway = await startGateway({ hub: hub.address });
    await startReaders(gateway);
    const attacker = await Attacker.start('flood', gateway.port, READ_GROUP, `${count}`);
    await expectUndisturbed(await membersOf(gateway.url), attacker);
    expect(await closedAsSlow(gateway)).toBe(0);
  },
);

test.each(['floodFreshGroups', 'askForFreshGroups'])('the history of a group survives %s', async (attack) => {
  const hub = await startHub(SMALL_HISTORY);
  const gateway = await startGateway({ hub: hub.address });
  const client = await TestClient.open(gateway.url, { protocol: 'groupcast.v1' });
  const ask = (command: object): Promise<JsonObject> => {
    client.sendCommand({ ...command, group_id: 'quiet', id: 'ask' });
    return client.reply('ask');
  };
  const { epoch, offset } = await ask({ cmd: 'group_info' });
  for (const message of ['one', 'two']) await ask({ cmd: 'send_to_group', message });
  const attacker = await Attacker.start(attack, gateway.port);
  await expectUndisturbed(await membersOf(gateway.url), attacker);
  expect(await ask({ cmd: 'add_group', since: { epoch, offset } })).toMatchObject({ recovered: true });
  for (const message of ['one', 'two'])
    await client.nextMatching(({ json }) => json?.['message'] === message);
});
