import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, killAll, startGateway, startHub, TestClient } from '@groupcast/testkit';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { gatewayCommand } from './cli.ts';

// 127.0.0.2 stands for the address of a private network: on Linux every address of 127.0.0.0/8 is
// one of this machine.

const V1 = { protocol: 'groupcast.v1' };

afterEach(killAll);

test.runIf(process.platform === 'linux')(
  'clients reach every worker on each --host, and a reload opens and closes addresses',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'groupcast-hosts-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const config = join(folder, 'gateway.json');
    const configure = (host: readonly string[]): void => writeFileSync(config, JSON.stringify({ host }));
    configure(['127.0.0.1', '127.0.0.2']);

    const hub = await startHub();
    const port = await freePort();
    const gateway = await startGateway({
      ...{ hub: hub.address, host: undefined, config, port, workers: 2, drainSeconds: 0 },
    });
    const urls = ['127.0.0.1', '127.0.0.2', '127.0.0.3'].map((host) => `ws://${host}:${port}`);
    await gateway.process.waitForLine(/Start success/);
    for (const url of urls.slice(0, 2)) {
      expect(gateway.process.stdout).toMatch(new RegExp(`WsGateway +${url} +2 +\\[OK\\]`));
    }
    const status = await gatewayCommand('status', `--admin-port=${gateway.adminPort}`);
    expect(status.stdout).toContain(urls.slice(0, 2).join(', '));

    const [one, other] = [await TestClient.open(urls[0]!, V1), await TestClient.open(urls[1]!, V1)];
    for (const client of [one, other]) {
      client.sendCommand({ cmd: 'add_group', group_id: 'g', id: 1 });
      await client.reply(1);
    }
    one.sendCommand({ cmd: 'send_to_group', group_id: 'g', message: 'hello', id: 2 });
    const received = await other.nextMatching(({ json }) => json?.['type'] === 'message');
    expect(received.json).toMatchObject({ message: 'hello' });
    await expect(TestClient.open(urls[2]!)).rejects.toThrow(/ECONNREFUSED/);

    configure(['127.0.0.1', '127.0.0.3']);
    expect((await gateway.reload()).listen).toBe([urls[0], urls[2]].join(', '));
    await (await TestClient.open(urls[2]!)).close();
    await expect(TestClient.open(urls[1]!)).rejects.toThrow(/ECONNREFUSED/);
  },
);
