import { killAll, startHub } from '@groupcast/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { runPhp, startPhp, withoutPhp } from './start-php.ts';

const HELLO = Buffer.from('s:5:"hello";').toString('hex');

describe.skipIf(withoutPhp)('a PHP worker with very many events', () => {
  afterAll(killAll);

  test.each([1_500, 20_000])(
    'is subscribed to %i, also after a restart of the hub, and receives a publication to all in one request',
    async (count) => {
      let hub = await startHub();
      const { port } = hub;
      const worker = startPhp('many-events', port, count);
      await worker.lines.next((line) => line === 'subscribed');
      await hub.kill();
      await worker.lines.next((line) => line === 'lost');
      hub = await startHub({ port });
      await worker.lines.next((line) => line === 'subscribed');
      await runPhp('publish-to-many', port, 3_000, 'hello');
      // Further names have no subscriber.
      for (let index = 0; index < Math.min(count, 3_000); index++) {
        const line = await worker.lines.next((text) => text.startsWith('event '));
        expect(line).toBe(`event user:${index} ${HELLO}`);
      }
      worker.kill();
      await hub.stop();
    },
  );

  test('with invalid names stays connected, and receives publications to the others', async () => {
    const hub = await startHub();
    const bad = ['', 'c4e3', '78'.repeat(321), '610a'];
    const worker = startPhp('many-events', hub.port, 2, ...bad);
    await worker.waitForLine(/^subscribed$/);
    await runPhp('publish-to-many', hub.port, 2, 'hello');
    await worker.waitForLine(/^event user:1 /);
    for (const sentence of [/is empty/, /is not UTF-8/, /longer than 320 bytes/, /control character/]) {
      await hub.process.waitForLine(sentence);
    }
    expect(worker.lines.all).not.toContain('lost');
    worker.kill();
    await hub.stop();
  });
});
