import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAll, startGateway, startHub, TestClient } from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groupcast-unix-'));
});
afterAll(async () => {
  await killAll();
  await rm(folder, { recursive: true });
});

test('a gateway reaches the hub of its host over a Unix socket, and after a kill of the hub again', async () => {
  const unixSocket = join(folder, 'hub.sock');
  const hub = await startHub({ unixSocket });
  const gateway = await startGateway({ hub: `unix:${unixSocket}` });
  const client = await TestClient.open(gateway.url);
  client.sendCommand({ cmd: 'add_group', group_id: 'g', id: 1 });
  await client.reply(1);
  client.sendCommand({ cmd: 'send_to_group', group_id: 'g', message: 'over a file' });
  expect((await client.next()).text).toBe('over a file');

  await hub.kill();
  expect(existsSync(unixSocket)).toBe(true);
  await startHub({ unixSocket });
  for (let id = 2; ; id++) {
    client.sendCommand({ cmd: 'send_to_group', group_id: 'g', message: 'again', id });
    if ((await client.reply(id))['type'] === 'ack') break;
  }
  await client.nextMatching(({ text }) => text === 'again');
});
