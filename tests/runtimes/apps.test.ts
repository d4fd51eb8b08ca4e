import { readlinkSync, realpathSync } from 'node:fs';
import { GroupcastClient, type Message } from '@groupcast/client';
import {
  EventQueue,
  killAll,
  type Runtime,
  runtimePath,
  startGateway,
  startHub,
  TcpProxy,
  type TestApp,
} from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

/** Removes the internals that the fast paths use, as a later Node may. */
const WITHOUT_BINDINGS = `--import data:text/javascript,${encodeURIComponent('process.binding = undefined')}`;

const clients: GroupcastClient[] = [];
const proxies: TcpProxy[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const proxy of proxies.splice(0)) await proxy.close();
  await killAll();
});

function connect(url: string): GroupcastClient {
  const client = new GroupcastClient(url, { WebSocket, reconnectMaxMs: 1_000 });
  clients.push(client);
  return client;
}

/** Returns the binaries that the processes of an app run. */
function binariesOf({ process: child }: TestApp): Set<string> {
  return new Set([child.pid, ...child.descendants()].map((pid) => readlinkSync(`/proc/${pid}/exe`)));
}

async function nodeOf(runtime: Runtime | 'node20'): Promise<string> {
  return runtime === 'node20' ? realpathSync(process.execPath) : realpathSync(await runtimePath(runtime));
}

describe.each(['node20', 'node22', 'node24'] as const)('hub and gateway on %s', (runtime) => {
  test.each([
    ['', undefined],
    [', without the internals of Node that they use', WITHOUT_BINDINGS],
  ])('join, publish, recover and reload%s', async (_, nodeOptions) => {
    const node = await nodeOf(runtime);
    const options = { node, env: { NODE_OPTIONS: nodeOptions } };
    const hub = await startHub({}, options);
    const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0 }, options);
    expect(binariesOf(hub)).toEqual(new Set([node]));
    expect(binariesOf(gateway)).toEqual(new Set([node]));

    const proxy = await TcpProxy.start({ target: gateway.port });
    const { port } = proxy;
    const member = connect(`ws://127.0.0.1:${port}`).group('room');
    const messages = new EventQueue<Message>('message');
    member.on('message', (message) => messages.push(message));
    await member.join();
    const sender = connect(gateway.url).group('room');
    await sender.send('これは');
    expect((await messages.next()).message).toBe('これは');

    await proxy.close();
    await sender.send('missed');
    proxies.push(await TcpProxy.start({ target: gateway.port, port }));
    expect((await messages.next()).message).toBe('missed');

    const { reload } = await gateway.reload();
    expect(reload).toMatchObject({ generation: 2, done: 1, failed: 0 });
    await sender.send('after the reload');
    expect((await messages.next()).message).toBe('after the reload');
    expect(messages.all).toHaveLength(3);

    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
    for (const { process: child } of [hub, gateway]) {
      expect(child.stdout + child.stderr).not.toMatch(/warning|deprecat|"level":"(error|fatal)"/i);
    }
  });
});
