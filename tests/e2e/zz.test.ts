import { killAll, startGateway, startHub, TestClient } from '@groupcast/testkit';
import { afterEach, test } from 'vitest';
import { readFileSync } from 'node:fs';
afterEach(killAll);
test('x', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 600 });
  const m = await Promise.all([1,2,3,4].map(() => TestClient.open(gateway.url)));
  gateway.process.kill('SIGINT');
  await gateway.process.waitForLine(/draining/);
  gateway.process.kill('SIGINT');
  await new Promise((r) => setTimeout(r, 5000));
  const { execSync } = await import("node:child_process"); console.log(execSync(`for t in /proc/${gateway.process.pid}/task/*; do cat $t/wchan; echo; cat $t/syscall; done; ls -l /proc/${gateway.process.pid}/fd | head -50; cat /proc/${gateway.process.pid}/stat; curl -s -m 3 http://127.0.0.1:${gateway.adminPort}/readyz`).toString(), m.length);
}, 30000);
