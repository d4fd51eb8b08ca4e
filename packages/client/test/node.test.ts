import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { ModelGateway } from '../testing/model-gateway.ts';

// Tests the SDK on the WebSocket of Node, which Node 20 has behind a flag.

/** Program that sends its parent each state, and closes the client on the parent's message. */
const PROGRAM = `
  import { GroupcastClient } from './sdk.mjs';
  const client = new GroupcastClient(process.argv[2], { reconnectMinMs: 1 });
  client.on('state', ({ state, error }) => process.send({ state, message: error?.message }));
  process.once('message', () => {
    client.close();
    process.disconnect();
  });
`;

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'groupcast-client-'));
  await build({
    entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
    outfile: join(folder, 'sdk.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
  });
  writeFileSync(join(folder, 'program.mjs'), PROGRAM);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Told {
  readonly state: string;
  readonly message?: string;
}

function run(port: number): { child: ChildProcess; told: Told[]; until(state: string): Promise<Told> } {
  const url = `ws://127.0.0.1:${port}`;
  const child = fork(join(folder, 'program.mjs'), [url], { execArgv: ['--experimental-websocket'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const told: Told[] = [];
  child.on('message', (event) => told.push(event as Told));
  const until = async (state: string): Promise<Told> => {
    for (;;) {
      const [event] = (await once(child, 'message')) as [Told];
      if (event.state === state) return event;
    }
  };
  return { child, told, until };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('a refused connection fails the attempt at once', async () => {
  const server = createServer();
  const port = await listen(server);
  server.close();
  const { child, told, until } = run(port);
  expect((await until('connecting')).message).toContain('1006');
  child.send('close');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(told[0]?.message).not.toContain('in time');
});

test('a gateway that answers 503 fails the attempt at once', async () => {
  const port = await listen(createServer((_request, response) => response.writeHead(503).end()));
  const { child, told, until } = run(port);
  expect((await until('connecting')).message).toContain('1006');
  child.send('close');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(told[0]?.message).not.toContain('in time');
});

test('the process ends after close() although the gateway does not answer', async () => {
  const http = createServer();
  const server = new WebSocketServer({ server: http, handleProtocols: () => 'groupcast.v1' });
  const port = await listen(http);
  server.on('connection', (socket) => {
    onTestFinished(() => socket.terminate());
    new ModelGateway().connect([], (event) => socket.send(JSON.stringify(event)));
    // As on a dead network, the close frame is not read.
    socket.pause();
  });
  const { child, until } = run(port);
  await until('open');
  child.send('close');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
