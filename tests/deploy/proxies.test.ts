import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { killAll, startHub } from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../find-program.ts';
import { withoutDeployPrograms } from './programs.ts';
import { PROXY_KINDS, writeProxyConfig } from './proxy-configs.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

const MESSAGE = 'x'.repeat(60 * 1_024);

const proxies = new Map<string, RunningProxy>();

describe.skipIf(withoutDeployPrograms)('the proxies of deploy/', () => {
  beforeAll(async () => {
    const hub = await startHub();
    await Promise.all(
      PROXY_KINDS.map(async (kind) => {
        proxies.set(kind.name, await startProxy(kind, hub.address));
      }),
    );
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

    test('the gateway knows the address of each client, whatever the client claims', async () => {
      const headers = { 'X-Forwarded-For': '203.0.113.9' };
      for (const localAddress of ['127.0.0.2', '127.0.0.3']) {
        const client = await proxy().open({ localAddress, headers });
        const connected = new RegExp(`"address":"${localAddress}".*"client connected"`);
        await proxy().gateway.process.waitForLine(connected);
        client.close();
      }
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
