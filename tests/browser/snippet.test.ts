import { killAll, startGateway, startHub, type TestGateway } from '@groupcast/testkit';
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser, withoutBrowser } from './open-browser.ts';
import { ORIGIN_MESSAGE, originSnippet } from './origin-snippet.ts';

// The snippet that the users of the origin have pasted for years, character by character.
const ORIGIN = `ws = new WebSocket('ws://127.0.0.1:1234');
ws.onmessage = function(data){console.log(data.data)};
ws.onopen = function() {
    ws.send('{"cmd":"add_group", "group_id":"123"}');
    ws.send('{"cmd":"send_to_group", "group_id":"123", "message":"これはメッセージです"}');
};
`;

test("the README's snippet is the origin's", () => {
  expect(originSnippet()).toBe(ORIGIN);
});

describe.skipIf(withoutBrowser)('the snippet in the console of a page', () => {
  let browser: Browser;
  beforeEach(async () => {
    browser = await openBrowser();
  });
  afterEach(async () => {
    await browser?.close();
    await killAll();
  });

  test('prints the message that it sends when the page is that of the gateway', async () => {
    const { port, url } = await startBoth();
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}`);
    const printed = page.waitForEvent('console');
    await page.evaluate(originSnippet(url));
    expect((await printed).text()).toBe(ORIGIN_MESSAGE);
  });

  // The reason why README and start table name the page: other pages need the user's permission to
  // connect to this machine. The first document of a new page does not, so it is loaded again.
  test('cannot connect on an empty page, from which Chromium protects the local network', async () => {
    const { url } = await startBoth();
    const page = await browser.newPage();
    await page.goto('about:blank');
    const opened = await page.evaluate(
      (address) =>
        new Promise((resolve) => {
          const ws = new WebSocket(address);
          ws.onopen = () => resolve(true);
          ws.onerror = () => resolve(false);
        }),
      url,
    );
    expect(opened).toBe(false);
  });
});

async function startBoth(): Promise<TestGateway> {
  const hub = await startHub();
  return startGateway({ hub: hub.address, workers: 2 });
}
