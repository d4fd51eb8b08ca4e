import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { GroupcastClient, Message } from '@groupcast/client';
import { killAll, REPOSITORY, startGateway, startHub, type TestGateway } from '@groupcast/testkit';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser, withoutBrowser } from './open-browser.ts';

/** The page's `window`: the bundle under its name, and variables of these tests. */
declare const window: {
  readonly Groupcast: { readonly GroupcastClient: typeof GroupcastClient };
  client: GroupcastClient;
  readonly seen: unknown[];
};

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(REPOSITORY, 'packages/client/src/index.ts')],
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'Groupcast',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

describe.skipIf(withoutBrowser)('the client in Chromium', () => {
  let browser: Browser;
  let page: Page;
  let gateway: TestGateway;
  let script: string;

  beforeAll(async () => {
    script = await bundle();
    browser = await openBrowser();
    const hub = await startHub();
    gateway = await startGateway({ hub: hub.address, workers: 2 });
  });
  afterAll(async () => {
    await browser?.close();
    await killAll();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    await page.addScriptTag({
      content: `${script}; window.Groupcast = Groupcast; window.seen = [];`,
    });
    await page.evaluate((url) => {
      window.client = new window.Groupcast.GroupcastClient(url, { reconnectMaxMs: 1_000 });
      window.client.on('state', ({ state }) => window.seen.push(state));
    }, gateway.url);
  });

  test('joins, sends and receives', async () => {
    const read = await page.evaluate(async () => {
      const group = window.client.group('page');
      const messages = group[Symbol.asyncIterator]();
      await group.join();
      const position = await group.send('これはメッセージです');
      return { position, clientId: window.client.clientId, message: (await messages.next()).value };
    });
    expect(read.message).toEqual({
      groupId: 'page',
      ...read.position,
      message: 'これはメッセージです',
      from: { clientId: read.clientId },
      at: expect.closeTo(Date.now(), -5),
    });
  });

  test('reconnects as the same client after the death of its worker, and misses nothing', async () => {
    const clientId = await page.evaluate(async () => {
      const group = window.client.group('crash');
      group.on('message', ({ message }: Message) => window.seen.push(message));
      group.on('joined', ({ recovered }) => window.seen.push(recovered ?? 'joined'));
      await group.join();
      await group.send('before');
      return window.client.clientId;
    });
    for (const { pid } of (await gateway.stats()).workers) process.kill(pid, 'SIGKILL');
    await page.waitForFunction(() => window.seen.includes('waiting'));
    const { clientId: afterwards, seen } = await page.evaluate(async () => {
      await window.client.group('crash').send('while it is away');
      return { clientId: window.client.clientId, seen: window.seen };
    });
    expect(afterwards).toBe(clientId);
    const steps = seen.filter((step) => step !== 'connecting' && step !== 'waiting');
    expect(steps.slice(0, 4)).toEqual(['open', 'joined', 'before', 'open']);
    await page.waitForFunction(() => window.seen.includes('while it is away'));
    const all = await page.evaluate(() => window.seen);
    expect(all.filter((step) => step === true)).toHaveLength(1);
    expect(all.filter((step) => step === 'while it is away')).toHaveLength(1);
  });

  test('connects at once when the page is online again, before an attempt in an hour', async () => {
    const target = new URL(gateway.url);
    const pipes: Socket[] = [];
    const proxy = createServer((inner) => {
      const outer = connect(Number(target.port), target.hostname);
      pipes.push(inner, outer);
      for (const pipe of [inner, outer]) pipe.on('error', () => {});
      inner.pipe(outer).pipe(inner);
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    await new Promise((resolve) => proxy.close(resolve));
    await page.evaluate((url) => {
      Math.random = () => 0.999;
      const hour = { reconnectMinMs: 3_600_000, reconnectMaxMs: 3_600_000 };
      window.client.close();
      window.client = new window.Groupcast.GroupcastClient(url, hour);
    }, `ws://127.0.0.1:${port}`);
    await page.context().setOffline(true);
    await page.waitForFunction(() => window.client.state === 'waiting');
    await once(proxy.listen(port, '127.0.0.1'), 'listening');
    await page.context().setOffline(false);
    await page.waitForFunction(() => window.client.state === 'open');
    expect(await page.evaluate(() => window.client.group('online').join())).toHaveProperty('position');
    await page.evaluate(() => window.client.close());
    for (const pipe of pipes) pipe.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });

  test('reconnects when a draining gateway asks for it, and reports the reason', async () => {
    const away = page.evaluate(
      () =>
        new Promise<{ code: number | undefined; waitMs: number | undefined }>((resolve) => {
          window.client.on('state', ({ state, error, waitMs }) => {
            if (state === 'waiting') resolve({ code: error?.closeCode, waitMs });
          });
        }),
    );
    await page.evaluate(() => window.client.group('drain').join());
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    const { code, waitMs } = await away;
    expect([1001, 1012]).toContain(code);
    expect(waitMs).toBeGreaterThanOrEqual(0);
    await page.evaluate(() => window.client.close());
    expect(await page.evaluate(() => window.client.state)).toBe('closed');
  });
});
