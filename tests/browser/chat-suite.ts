import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
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
    const person = new Person(context, await context.newPage());
    await person.page.goto(url);
    await person.page.getByLabel('Name').fill(name);
    await person.page.getByRole('button', { name: 'Log in' }).click();
    await person.hasState('Connected');
    return person;
  }

  async join(group: string): Promise<void> {
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

  /** Uses a button of a moderator beside a line of another user. */
  async moderate(action: 'Kick' | 'Ban', uid: string): Promise<void> {
    await this.page
      .getByRole('button', { name: `${action} ${uid}` })
      .first()
      .click();
  }

  /** Resolves when the page shows an alert with the text. */
  async isTold(text: RegExp): Promise<void> {
    await this.page.getByRole('alert').getByText(text).waitFor();
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
  let secrets: string;

  beforeAll(async () => {
    browser = await openBrowser();
    secrets = mkdtempSync(join(tmpdir(), 'groupcast-chat-'));
    const tokenSecretFile = join(secrets, 'token-secret');
    writeFileSync(tokenSecretFile, 'a secret of the page and the gateway', { mode: 0o600 });
    const hub = await startHub();
    gateway = await startGateway({ hub: hub.address, workers: 2, auth: 'token', tokenSecretFile });
    network = await TcpProxy.start({ target: gateway.port });
    const port = await freePort();
    const flags = ['--host', '127.0.0.1', '--port', String(port), '--strictPort'];
    const vite = startProcess(join(folder(), 'node_modules', '.bin', 'vite'), flags, {
      cwd: folder(),
      env: {
        VITE_GATEWAY: `ws://${network.address}`,
        TOKEN_SECRET_FILE: tokenSecretFile,
        NODE_ENV: undefined,
        VITEST: undefined,
      },
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
    rmSync(secrets, { recursive: true });
  });

  /** Returns a token of the page for a user. */
  async function tokenOf(name: string): Promise<string> {
    const body = new URLSearchParams({ name });
    const login = await fetch(`${url}login`, { method: 'POST', body, redirect: 'manual' });
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    const response = await fetch(`${url}token`, { headers: { cookie } });
    return ((await response.json()) as { token: string }).token;
  }

  test('two people talk; one goes offline, comes back, and has missed nothing', async () => {
    const alice = await Person.open(browser, url, 'Alice');
    const bob = await Person.open(browser, url, 'Bob');
    await alice.join('public:lobby');
    await bob.join('public:lobby');
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
    await alice.join('public:earlier');
    await alice.say('before Bob');
    await alice.sees('before Bob');
    const bob = await Person.open(browser, url, 'Bob');
    await bob.join('public:earlier');
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
    await alice.join('public:reload');
    await alice.say('before');
    await alice.sees('before');
    await alice.page.goto('about:blank');
    const protocol = ['groupcast.v1', `groupcast.token.${await tokenOf('Carl')}`];
    const other = await TestClient.open(gateway.url, { protocol });
    other.sendCommand({ cmd: 'send_to_group', group_id: 'public:reload', message: 'from a program', id: 1 });
    await other.reply(1);
    await other.close();
    await alice.page.goto(url);
    await alice.join('public:reload');
    await alice.sees('from a program');
    await alice.say('after');
    await alice.sees('after');
    expect(await alice.lines()).toEqual(['Alice: before', 'Carl: from a program', 'Alice: after']);
    expect(alice.complaints).toEqual([]);
  });

  test('a private room is for its members, whatever the page asks for', async () => {
    const ann = await Person.open(browser, url, 'ann');
    const eve = await Person.open(browser, url, 'eve');
    await ann.join('room:team');
    await ann.say('between us');
    await ann.sees('between us');
    await eve.join('room:team');
    await eve.isTold(/join.*room:team/);
    await eve.say('let me in');
    await eve.isTold(/publish.*room:team/);
    expect(await eve.lines()).toEqual([]);
    expect(await ann.lines()).toEqual(['ann: between us']);
    expect([...ann.complaints, ...eve.complaints]).toEqual([]);
  });

  test('a moderator kicks a user, who may return, and bans one, who may not', async () => {
    const mo = await Person.open(browser, url, 'mo');
    const [ann, bob] = [await Person.open(browser, url, 'ann'), await Person.open(browser, url, 'bob')];
    for (const person of [mo, ann, bob]) await person.join('room:team');
    await ann.say('spam');
    await bob.say('more spam');
    await mo.sees('spam');
    await mo.sees('more spam');
    expect(await ann.page.getByRole('button', { name: /^(Kick|Ban)/ }).count()).toBe(0);

    await mo.moderate('Kick', 'ann');
    await ann.isTold(/Kicked by a moderator/);
    await mo.moderate('Ban', 'bob');
    await bob.isTold(/Banned for an hour/);
    await ann.join('room:team');
    await bob.join('room:team');
    await bob.isTold(/room:team/);
    await ann.say('sorry');
    await mo.sees('sorry');
    // Bob is out of this room only.
    await bob.join('public:lobby');
    await bob.say('unfair');
    await bob.sees('unfair');
    for (const person of [mo, ann, bob]) expect(person.complaints).toEqual([]);
  });
}
