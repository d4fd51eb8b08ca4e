import { readFileSync } from 'node:fs';
import { transform } from 'esbuild';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import * as sdk from '../src/index.ts';
import { FakeNetwork, type FakeSocket } from '../testing/fake-socket.ts';
import { type ModelConnection, ModelGateway } from '../testing/model-gateway.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Returns the examples of the README, each as the body of a function. */
async function examples(): Promise<{ readonly source: string; readonly body: string }[]> {
  const sources = [...readme.matchAll(/^```ts\n(?<source>[^`]*(?:`[^`]+`[^`]*)*?)^```$/gm)];
  return Promise.all(
    sources.map(async ({ groups }) => {
      const source = groups?.['source'] ?? '';
      const { code } = await transform(source.replaceAll(/^import .*$/gm, ''), { loader: 'ts' });
      return { source, body: code };
    }),
  );
}

/**
 * Starts a network whose other end is a model of the gateway. It publishes a message after each
 * join.
 */
function modelNetwork(message: string): FakeNetwork {
  const gateway = new ModelGateway();
  return new FakeNetwork((socket: FakeSocket) => {
    queueMicrotask(() => {
      let connection: ModelConnection | undefined;
      socket.onCommand = (command) =>
        queueMicrotask(() => {
          connection?.receive(command);
          if (command.cmd === 'add_group') gateway.publish(command.group_id, message);
        });
      connection = gateway.connect(socket.protocols, (event) => socket.receive(event));
    });
  });
}

const clients: sdk.GroupcastClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

const all = await examples();

test('the README has examples', () => {
  expect(all.length).toBeGreaterThanOrEqual(8);
});

test('the README has a row for each code', () => {
  const source = readFileSync(new URL('../src/groupcast-error.ts', import.meta.url), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '(?<code>\w+)'$/gm)].map(({ groups }) => groups?.['code']);
  expect(codes.length).toBeGreaterThan(15);
  expect(
    codes.filter((code) => !readme.includes(`| \`${code}\``) && !readme.includes(`, \`${code}\``)),
  ).toEqual([]);
});

test.each(
  all.map(({ source, body }) => [
    source.split('\n').find((line) => line !== '' && !line.startsWith('import')),
    body,
  ]),
)('the example with %s runs', async (_line, body) => {
  const show = vi.fn();
  const network = modelNetwork(body.includes('the end') ? 'the end' : '{"total":120}');
  class GroupcastClient extends sdk.GroupcastClient {
    constructor(url: string, options: Partial<sdk.GroupcastClientOptions> = {}) {
      super(url, { ...options, WebSocket: network.WebSocket });
      clients.push(this);
    }
  }
  const client = new GroupcastClient('wss://example.com');
  const globals: Record<string, unknown> = {
    GroupcastClient,
    WebSocket,
    show,
    apply: show,
    fetch: async () => ({ json: async () => ({}), text: async () => 'a.b.c' }),
    localStorage: { getItem: () => null, setItem: () => {} },
    addEventListener: () => {},

    retryButton: {},
  };
  // Variables that the example does not declare.
  if (!/const client =/.test(body)) Object.assign(globals, { client });
  if (!/const group =/.test(body)) Object.assign(globals, { group: client.group('123') });
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...values: unknown[]) => Promise<void>;
  await new AsyncFunction(...Object.keys(globals), body)(...Object.values(globals));
});
