import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  freePort,
  killAll,
  startGateway,
  startHub,
  startProcess,
  TestClient,
  type TestClientOptions,
  type TestGateway,
  type TestProcess,
  until,
} from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../find-program.ts';
import { withoutDeployPrograms } from './programs.ts';
import { PROXY_KINDS, type ProxyKind, writeProxyConfig } from './proxy-configs.ts';

/** A proxy that runs in front of a gateway of its own. */
interface RunningProxy {
  readonly gateway: TestGateway;
  readonly process: TestProcess;
  readonly port: number;
  open(options?: TestClientOptions): Promise<TestClient>;
}

const MESSAGE = 'x'.repeat(60 * 1_024);

const proxies = new Map<string, RunningProxy>();

async function startProxy(kind: ProxyKind, hub: string): Promise<void> {
  const gateway = await startGateway({ hub, drainSeconds: 0 });
  const port = await freePort();
  const config = writeProxyConfig(kind, { port, gatewayPort: gateway.port });
  const process = startProcess(findProgram(kind.program) ?? kind.program, kind.run(config));
  let ended = false;
  void process.exited.then(() => {
    ended = true;
    rmSync(dirname(config), { recursive: true });
  });
  const open = (options: TestClientOptions = {}): Promise<TestClient> =>
    TestClient.open(`wss://localhost:${port}`, { rejectUnauthorized: false, family: 4, ...options });
  await until(
    async () => ended || (await open()).close(),
    `${kind.name} to connect to its gateway`,
    () => true,
  );
  if (ended) throw new Error(`${kind.name} ended: ${process.stdout}${process.stderr}`);
  proxies.set(kind.name, { gateway, process, port, open });
}

describe.skipIf(withoutDeployPrograms)('the proxies of deploy/', () => {
  beforeAll(async () => {
    const hub = await startHub();
    await Promise.all(PROXY_KINDS.map((kind) => startProxy(kind, hub.address)));
  });
  afterAll(killAll);

  describe.each(PROXY_KINDS)('$name', (kind) => {
    const proxy = (): RunningProxy => proxies.get(kind.name)!;

    test('finds no fault in its configuration', () => {
      const config = writeProxyConfig(kind, { port: proxy().port, gatewayPort: proxy().gateway.port });
      const { status, stdout, stderr } = spawnSync(findProgram(kind.program)!, kind.check(config));
      rmSync(dirname(config), { recursive: true });
      expect({ status, output: `${stdout}${stderr}` }).toMatchObject({ status: 0 });
    });

    test('plain and v1 clients exchange messages of 60 KiB', async () => {
      const plain = await proxy().open();
      const v1 = await proxy().open({ protocol: 'groupcast.v1' });
      for (const client of [plain, v1]) {
        client.sendCommand({ cmd: 'add_group', group_id: kind.name, id: 'join' });
        expect(await client.reply('join')).toMatchObject({ type: 'ack' });
      }
      for (const [sender, end] of [[plain, '1'] as const, [v1, '2'] as const]) {
        sender.sendCommand({ cmd: 'send_to_group', group_id: kind.name, message: `${MESSAGE}${end}` });
        await plain.nextMatching(({ text }) => text === `${MESSAGE}${end}`);
        await v1.nextMatching(({ json }) => json?.['message'] === `${MESSAGE}${end}`);
      }
      plain.close();
      v1.close();
      expect((await plain.closed).code).toBe(1000);
    });

    test('a reload of the gateway reaches clients as 1012, and they return', async () => {
      const client = await proxy().open({ protocol: 'groupcast.v1' });
      const [stats, { code }] = await Promise.all([proxy().gateway.reload(), client.closed]);
      expect(stats.reload).toMatchObject({ generation: 2, failed: 0 });
      expect(code).toBe(1012);
      const again = await proxy().open({ protocol: 'groupcast.v1' });
      again.close();
    });
  });
});
