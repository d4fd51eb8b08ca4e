import { killAll, startGateway, startHub } from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { bytesOf, serializedMessage, takeEvents } from '../php/events-of.ts';
import { runPhp, startSubscriber, withoutPhp } from '../php/start-php.ts';
import { openBrowser, withoutBrowser } from './open-browser.ts';
import { ORIGIN_MESSAGE, originSnippet } from './origin-snippet.ts';

describe.skipIf(withoutBrowser || withoutPhp)('a page and PHP workers', () => {
  afterEach(killAll);

  test('the page receives the messages of PHP, and PHP those of the page', async () => {
    const hub = await startHub();
    const { url } = await startGateway({ hub: hub.address, workers: 2 });
    const worker = await startSubscriber('subscribe', hub.port, 'hex', 'send_to_group');
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      const own = page.waitForEvent('console');
      await page.evaluate(originSnippet(url));
      expect((await own).text()).toBe(ORIGIN_MESSAGE);
      const [data = ''] = await takeEvents(worker, 'send_to_group', 1);
      expect(bytesOf(data)).toBe(serializedMessage('123', ORIGIN_MESSAGE));
      const fromPhp = page.waitForEvent('console');
      await runPhp('send-to-group', hub.port, '123', 'PHP からのメッセージ');
      expect((await fromPhp).text()).toBe('PHP からのメッセージ');
    } finally {
      await browser.close();
    }
  });
});
