import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  type HubStats,
  killAll,
  outerAddress,
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

/** Sends a message, waits for a line, and has the message confirmed. */
const CONFIRM_LATER = `
require '${EXAMPLES}/php-publisher/GroupPublisher.php';
$publisher = new GroupPublisher($argv[1]);
$publisher->send('123', 'hi');
fgets(STDIN);
try { $publisher->confirm(); } catch (RuntimeException $error) { echo $error->getMessage(), "\n"; }
$publisher->send('123', 'hi');
$publisher->confirm();
echo "confirmed\n";`;

/** Sends one message, and waits for its confirmation for a tenth of a second. */
const PUBLISH_ONCE = `
require '${EXAMPLES}/php-publisher/GroupPublisher.php';
$publisher = new GroupPublisher($argv[1], 0.1);
try { $publisher->send('123', 'hi'); $publisher->confirm(); } catch (RuntimeException $error) {
    fwrite(STDERR, $error->getMessage());
    exit(1);
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

  test('a message to a hub that was restarted since is not confirmed, the next one is', async () => {
    const first = await startHub();
    const publisher = startProcess('php', ['-n', '-r', CONFIRM_LATER, `tcp://${first.address}`], {
      stdin: true,
    });
    await untilStats(first, ({ published }) => published > 0);
    await first.kill();
    const second = await startHub({ port: first.port });
    publisher.write('\n');
    await publisher.waitForLine(/closed the connection/);
    await publisher.waitForLine(/^confirmed$/);
    expect((await second.stats()).published).toBe(1);
  });

  test('publishing without a hub fails with a message', async () => {
    const publisher = php(PUBLISH, '123', 'hi', `tcp://127.0.0.1:${await freePort()}`);
    expect(await publisher.finished).toEqual({ code: 1, signal: null });
    expect(publisher.stderr).toContain('cannot be reached');
  });

  test('publishing to a hub that rejects PHP fails with a message', async () => {
    const hub = await startHub({ host: outerAddress(), insecure: true });
    const publisher = php(PUBLISH, '123', 'hi', `tcp://${outerAddress()}:${hub.port}`);
    expect(await publisher.finished).toEqual({ code: 1, signal: null });
    expect(publisher.stderr).toContain('closed the connection');
    expect(publisher.stderr).toContain('--trust');
  });

  test('a hub on a private address accepts PHP on its own host that it trusts', async () => {
    const hub = await startHub({ host: outerAddress(), insecure: true, trust: outerAddress() });
    const publisher = php(PUBLISH, '123', 'hi', `tcp://${outerAddress()}:${hub.port}`);
    expect(await publisher.finished).toEqual({ code: 0, signal: null });
    expect((await hub.stats()).published).toBe(1);
  });

  test('publishing to a server that is silent fails after the timeout', async () => {
    const silent = createServer();
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as AddressInfo;
    const publisher = php('-r', PUBLISH_ONCE, `tcp://127.0.0.1:${port}`);
    const end = await publisher.finished;
    silent.close();
    expect(publisher.stderr).toContain('has not confirmed within 0.1 s');
    expect(end.code).toBe(1);
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
