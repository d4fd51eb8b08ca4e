import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killAll, REPOSITORY, startGateway, startHub, startProcess } from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
const [sdk = '', ...hubClient] = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code);

let folder: string;

beforeAll(() => {
  // Below tests/, so that the packages of the workspace are found.
  const cache = join(REPOSITORY, 'tests/node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'root-readme-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  // Node has a WebSocket of its own from version 22 on.
  writeFileSync(
    join(folder, 'web-socket.mjs'),
    "import { WebSocket } from 'ws';\nglobalThis.WebSocket ??= WebSocket;\n",
  );
});
afterEach(killAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runProgram(name: string, source: string) {
  writeFileSync(join(folder, name), source);
  const args = ['--import', './web-socket.mjs', '--import', 'tsx', name];
  return startProcess(process.execPath, args, { cwd: folder });
}

test('the example of the SDK has ten lines and prints its message', async () => {
  expect(sdk.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address });
  const child = runProgram('sdk.ts', sdk.replace('ws://127.0.0.1:1234', gateway.url));
  await child.waitForLine(/^1 hello$/);
});

test('the examples of the hub’s client print their message and their item', async () => {
  const hub = await startHub();
  const source = hubClient
    .join('')
    .replace('./packages/hub-client/src/index.ts', '@groupcast/hub-client')
    .replace('port: 2206', `port: ${hub.port}`);
  const child = runProgram('hello.ts', source);
  await child.waitForLine(/^hello from a program$/);
  await child.waitForLine(/^to do: \{"to":"a@example.com"\}$/);
});
