import { fileURLToPath } from 'node:url';
import {
  freePort,
  type HubStats,
  killAll,
  REPOSITORY,
  startGateway,
  startHub,
  startProcess,
  TestClient,
  type TestHub,
  type TestProcess,
  until,
} from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { withoutPhp } from '../php/start-php.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const PUBLISH = `${EXAMPLES}/php-publisher/publish.php`;

/** Sends "0", "1", ... through one GroupPublisher. The hub can be down meanwhile. */
const PUBLISH_ON_AND_ON = `
require '${EXAMPLES}/php-publisher/GroupPublisher.php';
$publisher = new GroupPublisher($argv[1]);
for ($count = 0;; $count++) {
    try { $publisher->send('123', (string) $count); } catch (RuntimeException $error) {}
    usleep(10000);
}`;

afterEach(killAll);

function php(...args: readonly string[]): TestProcess {
  return startProcess('php', ['-n', ...args]);
}

async function untilStats(hub: TestHub, holds: (stats: HubStats) => boolean): Promise<void> {
  await until(() => hub.stats(), 'a change in the stats of the hub', holds);
}

async function startMember(hub: TestHub): Promise<TestClient> {
  const gateway = await startGateway({ hub: hub.address });
  const member = await TestClient.open(gateway.url);
  member.sendText('{"cmd":"add_group","group_id":"123","id":1}');
  await member.messages.next();
  return member;
}

describe.skipIf(withoutPhp)('the examples in PHP', () => {
  test('a message from PHP reaches members, and the PHP process that subscribes to all groups', async () => {
    const hub = await startHub();
    const member = await startMember(hub);
    const subscriber = php(`${EXAMPLES}/mixed-fleet/subscriber.php`, `tcp://${hub.address}`);
    await untilStats(hub, ({ peers }) =>
      peers.some(({ dialect, subscriptions }) => dialect === 'php' && subscriptions > 0),
    );
    const publisher = php(PUBLISH, '123', 'これはメッセージです', `tcp://${hub.address}`);
    expect(await publisher.finished).toEqual({ code: 0, signal: null });
    expect((await member.messages.next()).text).toBe('これはメッセージです');
    await subscriber.waitForLine(/^group 123: これはメッセージです$/);
    member.sendText('{"cmd":"send_to_group","group_id":"123","message":"back"}');
    await subscriber.waitForLine(/^group 123: back$/);
  });

  test('a long-lived publisher finds a restarted hub', async () => {
    const first = await startHub();
    php('-r', PUBLISH_ON_AND_ON, `tcp://${first.address}`);
    await untilStats(first, ({ published }) => published > 0);
    await first.kill();
    const second = await startHub({ port: first.port });
    await untilStats(second, ({ published }) => published > 0);
  });

  test('publishing without a hub fails with a message', async () => {
    const publisher = php(PUBLISH, '123', 'hi', `tcp://127.0.0.1:${await freePort()}`);
    expect(await publisher.finished).toEqual({ code: 1, signal: null });
    expect(publisher.stderr).toContain('cannot be reached');
  });

  test('the mixed fleet shows that both get both messages', async () => {
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()].join(',');
    const fleet = startProcess(
      process.execPath,
      ['examples/mixed-fleet/run.mjs', '--once', '--ports', ports],
      {
        cwd: REPOSITORY,
      },
    );
    expect(await fleet.finished).toEqual({ code: 0, signal: null });
    expect(fleet.stdout.split('\n')).toEqual([
      'PHP sends to group 123',
      '  a member got    hello from PHP',
      '  PHP got         group 123: hello from PHP',
      'a WebSocket sends to group 123',
      '  a member got    hello from a WebSocket',
      '  PHP got         group 123: hello from a WebSocket',
      '',
    ]);
  });
});
