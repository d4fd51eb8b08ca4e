import { killAll, startHub, type TestClient } from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROXY_KINDS } from '../proxy-configs.ts';
import { type RunningProxy, startProxy } from '../start-proxy.ts';

/** Heartbeats, one in 25 s: longer than the timeouts of all proxies without the configuration. */
const HEARTBEATS = 4;

const proxies = new Map<string, RunningProxy>();

beforeAll(async () => {
  const hub = await startHub();
  for (const kind of PROXY_KINDS) proxies.set(kind.name, await startProxy(kind, hub.address));
});
afterAll(killAll);

async function stayPlain(client: TestClient): Promise<void> {
  for (let count = 0; count < HEARTBEATS; count++) await client.pings.next();
}

async function stayV1(client: TestClient): Promise<void> {
  for (let count = 0; count < HEARTBEATS; count++) {
    await client.nextMatching(({ json }) => json?.['type'] === 'ping');
    client.sendCommand({ cmd: 'ping' });
  }
}

test.concurrent.each(PROXY_KINDS)(
  'clients stay through more than a minute of silence: $name',
  async ({ name }) => {
    const { open } = proxies.get(name)!;
    const [plain, v1] = await Promise.all([open(), open({ protocol: 'groupcast.v1' })]);
    await Promise.all([stayPlain(plain), stayV1(v1)]);
    for (const client of [plain, v1]) {
      client.sendCommand({ cmd: 'add_group', group_id: name, id: 1 });
      expect(await client.reply(1)).toMatchObject({ type: 'ack' });
    }
  },
);
