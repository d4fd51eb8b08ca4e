import { killAll, startGateway, startHub, TestClient } from '@groupcast/testkit';
import { afterEach, test } from 'vitest';
afterEach(killAll);
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
test('x', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 600 }, { env: { NODE_OPTIONS: '--import /tmp/dbg.mjs' } });
  const m = await Promise.all([1,2,3,4].map(() => TestClient.open(gateway.url)));
  let done = false;
  void gateway.process.exited.then((e) => { done = true; console.log('exited', e); });
  gateway.process.kill('SIGINT');
  await gateway.process.waitForLine(/draining/);
  for (let i = 0; i < 4 && !done; i++) {
    console.log('kill', i, m.length);
    process.kill(gateway.process.pid, 'SIGINT');
    await sleep(1500);
  }
  console.log(gateway.process.stderr);
}, 30000);
