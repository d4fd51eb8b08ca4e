import { killAll, RawSocket, startGateway, startHub, TestClient, until } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';

afterEach(killAll);

test('connections above the limit of all workers are dropped and counted, until there is room again', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address, workers: 2, connectionsMax: 1 });
  const clients = [await TestClient.open(gateway.url), await TestClient.open(gateway.url)];
  for (let count = 0; count < 4; count++) await (await RawSocket.open({ port: gateway.port })).closed;
  const { workers } = await gateway.stats();
  const dropped = workers.map((worker) => worker['handshakesRejected'] as { readonly full: number });
  expect(dropped.reduce((sum, { full }) => sum + full, 0)).toBe(4);

  await clients[0]!.close();
  // Workers take turns, and the full one drops what comes to it.
  clients[0] = await until(() => TestClient.open(gateway.url), 'a place for one more');
  expect((await gateway.stats()).connections).toBe(2);
});
