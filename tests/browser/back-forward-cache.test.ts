import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GroupcastClient } from '@groupcast/client';
import { EventQueue, killAll, REPOSITORY, startGateway, startHub } from '@groupcast/testkit';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openBrowser, withoutBrowser } from './open-browser.ts';

/**
 * Returns a page that joins the group `cached` and reports its events to the server of the page.
 */
async function memberPage(gatewayUrl: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { GroupcastClient } from '@groupcast/client';
        const report = (event) => fetch('/report', { method: 'POST', body: event });
        const client = new GroupcastClient(${JSON.stringify(gatewayUrl)});
        const group = client.group('cached');
        addEventListener('pageshow', ({ persisted }) => persisted && report('restored'));
        group.on('joined', ({ recovered }) => report('joined ' + recovered));
        group.on('message', ({ message }) => report(message));
        group.join();
      `,
      resolveDir: join(REPOSITORY, 'tests'),
    },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  });
  return `<!doctype html><script>${outputFiles[0]?.text}</script>`;
}

describe.skipIf(withoutBrowser)('the back/forward cache of Chromium', () => {
  let browser: Browser;
  let server: Server;
  let sender: GroupcastClient;
  const reports = new EventQueue<string>('report of the page');

  beforeAll(async () => {
    const hub = await startHub();
    const gateway = await startGateway({ hub: hub.address, workers: 1 });
    const member = await memberPage(gateway.url);
    server = createServer(async (request, response) => {
      if (request.url === '/report') {
        let body = '';
        for await (const chunk of request) body += chunk;
        reports.push(body);
      }
      response.setHeader('content-type', 'text/html');
      response.end(request.url === '/member' ? member : '<!doctype html><title>elsewhere</title>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    sender = new GroupcastClient(gateway.url, { WebSocket });
    browser = await openBrowser({ cachesPages: true });
  });
  afterAll(async () => {
    await browser?.close();
    sender?.close();
    server?.close();
    await killAll();
  });

  test('a page recovers its group after a navigation away and back', async () => {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const page = await browser.newPage();
    await page.goto(`${origin}/member`);
    expect(await reports.next()).toBe('joined undefined');
    await sender.group('cached').send('before');
    expect(await reports.next()).toBe('before');

    await page.goto(`${origin}/elsewhere`);
    await sender.group('cached').send('missed');
    // Not awaited: Playwright does not notice that a cached page is shown.
    void page.goBack().catch(() => {});
    expect(await reports.next()).toBe('restored');
    expect(await reports.next()).toBe('joined true');
    expect(await reports.next()).toBe('missed');
    await sender.group('cached').send('after');
    expect(await reports.next()).toBe('after');
  });
});
