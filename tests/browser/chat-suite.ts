import { join } from 'node:path';
import {
  freePort,
  killAll,
  startGateway,
  startHub,
  startProcess,
  TcpProxy,
  TestClient,
  type TestGateway,
} from '@groupcast/testkit';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openBrowser } from './open-browser.ts';

/** A user with a separate browser, without shared storage or network. */
class Person {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly complaints: string[] = [];
  readonly #name: string;

  private constructor(context: BrowserContext, page: Page, name: string) {
    this.context = context;
    this.page = page;
    this.#name = name;
    page.on('pageerror', (error) => this.complaints.push(String(error.stack)));
    page.on('console', (line) => {
      // A browser reports each failed attempt to connect as an error of the page.
      const isNetwork = line.text().startsWith('WebSocket connection to');
      if ((line.type() === 'error' || line.type() === 'warning') && !isNetwork) {
        this.complaints.push(line.text());
      }
    });
  }

  static async open(browser: Browser, url: string, name: string): Promise<Person> {
    const context = await browser.newContext();
    const person = new Person(context, await context.newPage(), name);
    await person.page.goto(url);
    return person;
  }

  async join(group: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(this.#name);
    await this.page.getByLabel('Group').fill(group);
    await this.page.getByRole('button', { name: 'Join' }).click();
    await this.page.getByRole('region', { name: group }).waitFor();
    await this.hasState('Connected');
  }

  async say(text: string): Promise<void> {
    await this.page.getByLabel('Message').fill(text);
    await this.page.getByRole('button', { name: 'Send' }).click();
  }

  async hasState(state: string): Promise<void> {
    await this.page.getByRole('status').getByText(state).waitFor();
  }

  /** Resolves when the page shows the text. */
  async sees(text: string): Promise<void> {
    await this.page.getByRole('log').getByText(text, { exact: true }).waitFor();
  }

  /** Returns all visible lines. */
  async lines(): Promise<string[]> {
    const names = await this.page.getByRole('log').locator('b').allTextContents();
    const texts = await this.page.getByRole('log').locator('p').allTextContents();
    return texts.map((text, index) => `${names[index]}: ${text}`);
  }
}

/**
 * Tests of examples/chat in Chromium, served from `folder()` by Vite's development server: there
 * StrictMode mounts each component twice.
 */
export function chatSuite(folder: () => string): void {
  let browser: Browser;
  let gateway: TestGateway;
  let network: TcpProxy;
  let url: string;

  beforeAll(async () => {
    browser = await openBrowser();
    const hub = await startHub();
    gateway = await startGateway({ hub: hub.address, workers: 2 });
    network = await TcpProxy.start({ target: gateway.port });
    const port = await freePort();
    const flags = ['--host', '127.0.0.1', '--port', String(port), '--strictPort'];
    const vite = startProcess(join(folder(), 'node_modules', '.bin', 'vite'), flags, {
      cwd: folder(),
      env: { VITE_GATEWAY: `ws://${network.address}`, NODE_ENV: undefined, VITEST: undefined },
    });
    await vite.waitForLine(/ready in/);
    url = `http://127.0.0.1:${port}/`;
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await network?.close();
    await killAll();
  });

  test('two people talk; one goes offline, comes back, and has missed nothing', async () => {
    const alice = await Person.open(browser, url, 'Alice');
    const bob = await Person.open(browser, url, 'Bob');
    await alice.join('lobby');
    await bob.join('lobby');
    await alice.say('Hello, Bob');
    await bob.sees('Hello, Bob');
    await bob.say('Hello, Alice');
    await alice.sees('Hello, Alice');

    await bob.context.setOffline(true);
    network.cut();
    await bob.hasState('Offline');
    await alice.hasState('Connected');
    await alice.say('Bob does not hear this');
    await alice.sees('Bob does not hear this');
    await bob.say('Alice does not hear this yet');
    await bob.context.setOffline(false);
    await bob.sees('Bob does not hear this');
    await alice.sees('Alice does not hear this yet');

    const lines = ['Alice: Hello, Bob', 'Bob: Hello, Alice', 'Alice: Bob does not hear this'];
    for (const person of [alice, bob]) {
      await person.sees('Alice does not hear this yet');
      expect(await person.lines()).toEqual([...lines, 'Bob: Alice does not hear this yet']);
      expect(person.complaints).toEqual([]);
    }
  });

  test('a first visit shows what was said before, with the time of the hub', async () => {
    const alice = await Person.open(browser, url, 'Alice');
    await alice.join('earlier');
    await alice.say('before Bob');
    await alice.sees('before Bob');
    const bob = await Person.open(browser, url, 'Bob');
    await bob.join('earlier');
    await bob.sees('before Bob');
    expect(await bob.lines()).toEqual(['Alice: before Bob']);
    const time = bob.page.getByRole('log').locator('time');
    expect(Math.abs(Date.parse((await time.getAttribute('datetime')) ?? '') - Date.now())).toBeLessThan(
      60_000,
    );
    expect(bob.complaints).toEqual([]);
  });

  test('after a reload it shows what it had, and what was said meanwhile, once', async () => {
    const alice = await Person.open(browser, url, 'Alice');
    await alice.join('reload');
    await alice.say('before');
    await alice.sees('before');
    await alice.page.goto('about:blank');
    const other = await TestClient.open(gateway.url);
    const impossible = JSON.stringify({ name: 5, text: 'no such name' });
    for (const [id, message] of ['plain text', impossible].entries()) {
      other.sendCommand({ cmd: 'send_to_group', group_id: 'reload', message, id });
      await other.reply(id);
    }
    await other.close();
    await alice.page.goto(url);
    await alice.join('reload');
    await alice.sees('plain text');
    await alice.say('after');
    await alice.sees('after');
    expect((await alice.lines()).map((line) => line.replace(/^.*: /, ''))).toEqual([
      'before',
      'plain text',
      impossible,
      'after',
    ]);
    expect(alice.complaints).toEqual([]);
  });
}
