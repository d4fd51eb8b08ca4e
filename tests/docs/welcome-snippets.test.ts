import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  killAll,
  REPOSITORY,
  startGateway,
  startHub,
  startProcess,
  TestClient,
  type TestGateway,
  type TestHub,
  type TestProcess,
} from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPython } from '../find-python.ts';
import { withoutPhp } from '../php/start-php.ts';

const python = findPython();
const withoutPython = python === undefined && process.env['CI'] !== 'true';

let hub: TestHub;
let gateway: TestGateway;
let member: TestClient;
let page: string;
let folder: string;

beforeAll(async () => {
  hub = await startHub();
  gateway = await startGateway({ hub: hub.address });
  page = await (await fetch(`http://127.0.0.1:${gateway.port}/`)).text();
  member = await TestClient.open(gateway.url);
  member.sendCommand({ cmd: 'add_group', group_id: '123', id: 1 });
  await member.reply(1);
  // Below tests/, so that the packages of the workspace are found.
  const cache = join(REPOSITORY, 'tests/node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'snippets-'));
});
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns a snippet as a reader copies it, with the addresses of this system. */
function snippet(key: string): string {
  const [, html = ''] = new RegExp(`data-snippet="${key}">([^]*?)</code>`).exec(page) ?? [];
  const text = html.replace(/<[^>]+>/g, '').replaceAll('&gt;', '>');
  return text.replace('ws://127.0.0.1:1234', gateway.url).replace('127.0.0.1:2206', hub.address);
}

function run(name: string, text: string, ...command: [string, ...string[]]): TestProcess {
  writeFileSync(join(folder, name), text);
  const [program, ...args] = command;
  return startProcess(program, [...args, name], { cwd: folder });
}

describe('the code on the welcome page reaches the members of the group', () => {
  test('with the SDK', async () => {
    // Node has a WebSocket of its own from version 22 on.
    const before = "import { WebSocket } from 'ws';\nglobalThis.WebSocket ??= WebSocket;\n";
    const child = run('sdk.mts', before + snippet('sdk'), process.execPath, '--import', 'tsx');
    await child.waitForLine(/^hello from the SDK$/);
    expect((await member.next()).text).toBe('hello from the SDK');
  });

  test.skipIf(withoutPhp)('with PHP', async () => {
    const child = run('publish.php', `<?php\n${snippet('php')}\n`, 'php', '-n');
    expect(await child.finished).toEqual({ code: 0, signal: null });
    expect((await member.next()).text).toBe('hello from PHP');
  });

  test.skipIf(withoutPython)('with Python', async () => {
    const child = run('client.py', snippet('python'), python ?? 'python3');
    await child.waitForLine(/^hello from Python$/);
    expect((await member.next()).text).toBe('hello from Python');
  });
});
