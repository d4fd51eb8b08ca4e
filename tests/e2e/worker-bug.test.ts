import { HubClient } from '@groupcast/hub-client';
import { killAll, startGateway, startHub, TestClient, until } from '@groupcast/testkit';
import { afterAll, expect, test } from 'vitest';
import { statsOfAll } from './stats-of-all.ts';

/** A bug in what a worker does with a publication: one of Node's functions that it uses throws. */
const BUG = `
  import buffer from 'node:buffer';
  import { syncBuiltinESMExports } from 'node:module';
  const { isUtf8 } = buffer;
  buffer.isUtf8 = (bytes) => {
    if (Buffer.from(bytes).includes('meets the bug')) throw new Error('this is the bug');
    return isUtf8(bytes);
  };
  syncBuiltinESMExports();
`;
const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(BUG)}`;

afterAll(killAll);

test("an error in a worker's delivery ends that worker and is logged; its successor continues", async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address }, { env: { NODE_OPTIONS } });
  const program = new HubClient({ port: hub.port });
  program.connect();
  const member = await TestClient.open(gateway.url);
  member.sendCommand({ cmd: 'add_group', group_id: 'room', id: 1 });
  await member.reply(1);

  await program.publish('group:room', 'meets the bug');
  expect(await member.closed).toMatchObject({ code: 1006 });
  await gateway.process.waitForLine(/^Error: this is the bug/);
  await gateway.process.waitForLine(/worker died of exit code 1/);

  await until(
    async () => (await gateway.stats()).restarts,
    'another worker',
    (restarts) => restarts === 1,
  );
  await statsOfAll(gateway, 1);
  const next = await TestClient.open(gateway.url);
  next.sendCommand({ cmd: 'add_group', group_id: 'room', id: 1 });
  await next.reply(1);
  await program.publish('group:room', 'sound');
  expect((await next.nextMatching(({ text }) => text === 'sound')).text).toBe('sound');
  program.close();
});
