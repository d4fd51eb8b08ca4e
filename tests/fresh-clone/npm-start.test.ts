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

  test('installs, serves, says which page to open, ends with Ctrl-C, and starts again', async () => {
    newcomer = new Newcomer();
    const first = newcomer.npm('start');
    await untilServing(first);
    expect(first.stdout).toContain('Installing');
    expect(first.stdout).toContain('Open http://127.0.0.1:1234');
    expect(`${first.stdout}${first.stderr}`).not.toContain('telemetry regarding');
    expect(await originSnippetPrints()).toBe(ORIGIN_MESSAGE);
    await pressCtrlC(newcomer, first);

    const second = newcomer.npm('start');
    await untilServing(second);
    expect(second.stdout).not.toContain('Installing');
    expect(await originSnippetPrints()).toBe(ORIGIN_MESSAGE);

    const third = newcomer.npm('start');
    expect(await third.finished).toMatchObject({ code: 1 });
    expect(third.stderr).toContain('127.0.0.1:2206 is in use by another process');
    await pressCtrlC(newcomer, second);
  }, 300_000);

  test('npm run dev restarts a service whose source changes', async () => {
    newcomer = new Newcomer();
    const dev = newcomer.npm('run', 'dev');
    await untilServing(dev);
    expect(`${dev.stdout}${dev.stderr}`).not.toContain('telemetry regarding');
    const before = await workerPids();
    const now = new Date();
    utimesSync(join(newcomer.clone, 'apps/ws-gateway/src/gateway.ts'), now, now);
    await until(
      () => output(dev).filter((line) => GATEWAY_TABLE.test(line)),
      () => `the gateway to be started again: ${dev.stdout}`,
      (tables) => tables.length === 2,
    );
    expect(await workerPids()).not.toEqual(expect.arrayContaining(before));
    expect(before.filter(isAlive)).toEqual([]);
    expect(await originSnippetPrints()).toBe(ORIGIN_MESSAGE);
    await pressCtrlC(newcomer, dev);
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
      lines.some((line) => line.includes(START_SUCCESS))
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
    await page.goto('http://127.0.0.1:1234');
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
  // Both have ended gracefully, and so did the gateway at a restart; no line looks like a failure.
  const restarts = output(npm).filter((line) => GATEWAY_TABLE.test(line)).length - 1;
  expect(said.match(/: drained( {.*})?$|"msg":"drained"/gm)).toHaveLength(2 + restarts);
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
