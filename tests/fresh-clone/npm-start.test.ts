import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { adminRequest, type GatewayStats, type TestProcess, until } from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { openBrowser } from '../browser/open-browser.ts';
import { ORIGIN_MESSAGE, originSnippet } from '../browser/origin-snippet.ts';
import { Newcomer } from './newcomer.ts';

const START_MS = 120_000;
const HUB_TABLE = /ChannelHub +\S+:2206 .*\[OK\]/;
const GATEWAY_TABLE = /WsGateway +\S+:1234 .*\[OK\]/;
const START_SUCCESS = 'Press Ctrl-C to quit. Start success.';

// It installs from the registry, and needs the default ports.
describe.skipIf(process.env['CI'] !== 'true')('npm start in a fresh clone', () => {
  let newcomer: Newcomer | undefined;
  afterEach(async () => {
    await newcomer?.leave();
    newcomer = undefined;
  });

  test('installs, serves, restarts on a change, ends with Ctrl-C, and starts again', async () => {
    newcomer = new Newcomer();
    const first = newcomer.npm('start');
    await untilServing(first);
    expect(first.stdout).toContain('Installing');
    expect(await originSnippetPrints()).toBe(ORIGIN_MESSAGE);

    const before = await workerPids();
    const now = new Date();
    utimesSync(join(newcomer.clone, 'apps/ws-gateway/src/gateway.ts'), now, now);
    await until(
      () => output(first).filter((line) => GATEWAY_TABLE.test(line)),
      () => `the gateway to be started again: ${first.stdout}`,
      (tables) => tables.length === 2,
    );
    expect(await workerPids()).not.toEqual(expect.arrayContaining(before));
    expect(before.filter(isAlive)).toEqual([]);
    expect(await originSnippetPrints()).toBe(ORIGIN_MESSAGE);
    await pressCtrlC(newcomer, first);

    const second = newcomer.npm('start');
    await untilServing(second);
    expect(second.stdout).not.toContain('Installing');
    expect(await originSnippetPrints()).toBe(ORIGIN_MESSAGE);
    await pressCtrlC(newcomer, second);
  }, 300_000);
});

/** Resolves when both services have printed their tables and answer. */
async function untilServing(npm: TestProcess): Promise<void> {
  const deadline = performance.now() + START_MS;
  const isServing = (): boolean => {
    const lines = output(npm);
    return (
      lines.some((line) => HUB_TABLE.test(line)) &&
      lines.some((line) => GATEWAY_TABLE.test(line)) &&
      lines.filter((line) => line.includes(START_SUCCESS)).length === 2
    );
  };
  let ended = false;
  void npm.finished.then(() => {
    ended = true;
  });
  while (!isServing()) {
    await npm.lines.next().catch((error) => {
      // An installation may have nothing to say for longer than a line is waited for.
      if (ended || performance.now() > deadline) throw error;
    });
  }
  for (const adminPort of [2207, 1235]) {
    await until(
      () => adminRequest(adminPort, '/readyz'),
      `admin port ${adminPort} to say that it is ready`,
      ({ status }) => status === 200,
    );
  }
}

async function originSnippetPrints(): Promise<string> {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    const printed = page.waitForEvent('console');
    await page.evaluate(originSnippet());
    return (await printed).text();
  } finally {
    await browser.close();
  }
}

/** As a terminal does it: the signal goes to the whole process group. */
async function pressCtrlC(newcomer: Newcomer, npm: TestProcess): Promise<void> {
  process.kill(-npm.pid, 'SIGINT');
  await npm.finished;
  await until(
    () => newcomer.processes(),
    'the end of all processes',
    (left) => left.length === 0,
  );
  const said = `${npm.stdout}${npm.stderr}`;
  // Both have ended gracefully, as the gateway did at its restart, and no line looks like a
  // failure.
  expect(said.match(/: drained( {.*})?$/gm)).toHaveLength(2 + said.split('"signal":"SIGTERM"').length - 1);
  expect(said).not.toMatch(/ERROR|FATAL|ELIFECYCLE|Force killing|npm error/);
}

function output({ lines }: TestProcess): readonly string[] {
  return lines.all;
}

async function workerPids(): Promise<number[]> {
  const { body } = await adminRequest(1235, '/api/v1/stats');
  return (JSON.parse(body) as GatewayStats).workers.map(({ pid }) => pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
