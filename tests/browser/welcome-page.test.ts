import { killAll, startGateway, startHub, type TestGateway, type TestHub } from '@groupcast/testkit';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser, withoutBrowser } from './open-browser.ts';
import { ORIGIN_MESSAGE } from './origin-snippet.ts';
import { startPrefixProxy } from './prefix-proxy.ts';

/** One of the two clients of the page, driven as a user would. */
class Pane {
  readonly #root: Locator;

  constructor(page: Page, name: string) {
    this.#root = page.getByRole('region', { name, exact: true });
  }

  async connected(): Promise<void> {
    await this.#root.getByText('connected', { exact: true }).waitFor();
  }

  async join(group: string): Promise<void> {
    await this.#root.getByLabel('Group', { exact: true }).fill(group);
    await this.#root.getByRole('button', { name: 'Join' }).click();
    await this.isIn(group);
  }

  /** Resolves when the group is listed. */
  async isIn(group: string): Promise<void> {
    await this.#groups.getByText(group, { exact: true }).waitFor();
  }

  async leave(group: string): Promise<void> {
    await this.#root.getByRole('button', { name: 'Leave' }).click();
    await this.#groups.getByText(group, { exact: true }).waitFor({ state: 'detached' });
  }

  async send(message: string): Promise<void> {
    await this.#root.getByLabel('Message', { exact: true }).fill(message);
    await this.#root.getByRole('button', { name: 'Send' }).click();
  }

  /** Resolves when the page shows the message. */
  async shows(message: string): Promise<void> {
    await this.#messages.getByText(message, { exact: true }).waitFor();
  }

  /** Returns all visible messages, in order. */
  messages(): Promise<string[]> {
    return this.#messages.locator('bdi').allTextContents();
  }

  get #groups(): Locator {
    return this.#root.getByRole('list').first();
  }

  get #messages(): Locator {
    return this.#root.getByRole('log').locator('[data-kind="message"]');
  }
}

describe.skipIf(withoutBrowser)('the welcome page', () => {
  let browser: Browser;
  beforeEach(async () => {
    browser = await openBrowser();
  });
  afterEach(async () => {
    await browser?.close();
    await killAll();
  });

  async function startSystem(): Promise<{ gateway: TestGateway; hub: TestHub }> {
    const hub = await startHub();
    return { hub, gateway: await startGateway({ hub: hub.address, workers: 2 }) };
  }

  async function openPage(): Promise<{ page: Page; complaints: string[] }> {
    const { gateway } = await startSystem();
    const page = await browser.newPage();
    const complaints: string[] = [];
    // Violations of the content security policy are errors of the console.
    page.on('console', (line) => {
      if (line.type() === 'error' || line.type() === 'warning') complaints.push(line.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('requestfailed', (request) => complaints.push(`cannot load ${request.url()}`));
    await page.goto(`http://127.0.0.1:${gateway.port}/`);
    return { page, complaints };
  }

  test('two panes exchange messages, and a pane that left receives none', async () => {
    const { page, complaints } = await openPage();
    const alice = new Pane(page, 'Alice');
    const bob = new Pane(page, 'Bob');
    await Promise.all([alice.connected(), bob.connected()]);

    await alice.join('123');
    await bob.join('123');
    await alice.send('from Alice');
    await Promise.all([alice.shows('from Alice'), bob.shows('from Alice')]);
    await bob.send('<b onclick="x">from Bob</b>');
    await Promise.all([alice.shows('<b onclick="x">from Bob</b>'), bob.shows('<b onclick="x">from Bob</b>')]);

    await alice.leave('123');
    await bob.send('while Alice is away');
    await bob.shows('while Alice is away');
    await alice.join('123');
    await bob.send('Alice is back');
    await alice.shows('Alice is back');
    expect(await alice.messages()).toEqual(['from Alice', '<b onclick="x">from Bob</b>', 'Alice is back']);
    expect(complaints).toEqual([]);
  });

  test('both panes are in group 123 from the start', async () => {
    const { page } = await openPage();
    const [alice, bob] = [new Pane(page, 'Alice'), new Pane(page, 'Bob')];
    await Promise.all([alice.isIn('123'), bob.isIn('123')]);
    await alice.send('hello');
    await Promise.all([alice.shows('hello'), bob.shows('hello')]);
  });

  test('below a path of a proxy the panes keep its slash, without which the proxy redirects', async () => {
    const { gateway } = await startSystem();
    const prefix = await startPrefixProxy('/live/', gateway.port);
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${prefix.port}/live`);
      const alice = new Pane(page, 'Alice');
      await alice.isIn('123');
      await alice.send('through the proxy');
      await alice.shows('through the proxy');
      const snippet = await page.getByLabel('Snippet').textContent();
      expect(snippet).toContain(`new WebSocket('ws://127.0.0.1:${prefix.port}/live/')`);
    } finally {
      await prefix.close();
    }
  });

  test('the snippet that it shows works in its own console', async () => {
    const { page, complaints } = await openPage();
    const snippet = await page.getByLabel('Snippet').textContent();
    const printed = page.waitForEvent('console');
    await page.evaluate(snippet ?? '');
    expect((await printed).text()).toBe(ORIGIN_MESSAGE);
    expect(complaints).toEqual([]);
  });
});
