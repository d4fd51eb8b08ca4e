import { HubClient } from '@groupcast/hub-client';
import { killAll, startHub, until } from '@groupcast/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOf, takeEvents } from './events-of.ts';
import { startSubscriber, withoutPhp } from './start-php.ts';

const QUEUE_BYTES_MAX = 2 * 1024 * 1024;
const LARGE = 'x'.repeat(256 * 1024);

describe.skipIf(withoutPhp)('a PHP worker that does not read', () => {
  afterAll(killAll);

  test('is closed within a frame, survives, and reconnects', async () => {
    const hub = await startHub({ peerBufferBytes: QUEUE_BYTES_MAX });
    const worker = await startSubscriber('subscribe', hub.port, 'hex', 'news');
    const client = new HubClient({ port: hub.port });
    client.connect();
    worker.kill('SIGSTOP');
    let published = 0;
    await until(async () => {
      await client.publish('news', LARGE);
      published += 1;
      return ((await hub.stats())['closed'] as Record<string, number>)['slow'];
    }, 'the end of a slow worker');
    worker.kill('SIGCONT');

    await worker.waitForLine(/^lost$/);
    await until(() => worker.lines.all.filter((line) => line === 'subscribed').length === 2, 'its return');
    await client.publish('news', 'after');
    const kept = worker.lines.all.filter((line) => line.startsWith('event news ')).length;
    expect(kept).toBeLessThan(published);
    await takeEvents(worker, 'news', kept);
    expect((await takeEvents(worker, 'news', 1)).map(bytesOf)).toEqual(['s:5:"after";']);
    client.close();
  });
});
