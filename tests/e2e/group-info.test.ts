import { killAll, startGateway, startHub, TestClient } from '@groupcast/testkit';
import { afterAll, expect, test } from 'vitest';

const NAMES = 30_000;

/** Below the rate of the connection, whose burst this is. */
const WINDOW = 2_000;

/** Commands that one connection may send during the test: the default is 1,000/s. */
const RATE = { messagesPerSecond: 100_000, messagesBurst: WINDOW };

afterAll(killAll);

test('30,000 group_info requests for new names from one connection are answered, and evict no history', async () => {
  // Room for all of the group's history and a little more, not for 30,000 streams.
  const hub = await startHub({ historyTotalBytes: 8 * 1024 * 1024 });
  const gateway = await startGateway({ hub: hub.address, ...RATE });
  const [asker, member] = await Promise.all([
    TestClient.open(gateway.url, { protocol: 'groupcast.v1' }),
    TestClient.open(gateway.url, { protocol: 'groupcast.v1' }),
  ]);
  await Promise.all([asker.next(), member.next()]);
  member.sendCommand({ cmd: 'group_info', group_id: 'kept', id: 'start' });
  const { epoch, offset } = (await member.reply('start')) ?? {};
  for (let index = 0; index < 500; index++) {
    member.sendCommand({
      cmd: 'send_to_group',
      group_id: 'kept',
      message: `${index}`.padEnd(1_000),
      id: index,
    });
    await member.reply(index);
  }

  let asked = 0;
  const answers = new Set<unknown>();
  for (let answered = 0; answered < NAMES; answered++) {
    while (asked < NAMES && asked - answered < WINDOW) {
      asker.sendCommand({ cmd: 'group_info', group_id: `fresh ${asked}`, id: asked });
      asked += 1;
    }
    const { json } = await asker.next();
    expect(json).toMatchObject({ type: 'ack' });
    answers.add(json?.['id']);
  }
  expect(answers.size).toBe(NAMES);

  member.sendCommand({ cmd: 'add_group', group_id: 'kept', id: 'join', since: { epoch, offset } });
  expect(await member.reply('join')).toMatchObject({ type: 'ack', recovered: true });
  for (let index = 0; index < 500; index++) {
    expect((await member.next()).json).toMatchObject({ type: 'message', message: `${index}`.padEnd(1_000) });
  }
  const { history } = await hub.stats();
  expect(history).toMatchObject({ trimmed: { total: 0 }, channelsDropped: 0 });
});
