import { killAll, startGateway, startHub } from '@groupcast/testkit';
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

  test('prints the message that it sends', async () => {
    const hub = await startHub();
    const { url } = await startGateway({ hub: hub.address, workers: 2 });
    const page = await browser.newPage();
    const printed = page.waitForEvent('console');
    await page.evaluate(originSnippet(url));
    expect((await printed).text()).toBe(ORIGIN_MESSAGE);
  });
});
