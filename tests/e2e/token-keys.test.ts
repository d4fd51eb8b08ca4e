import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAll, startGateway, startHub, TestClient } from '@groupcast/testkit';
import { signToken } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
const cleanups: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groupcast-keys-'));
  cleanups.push(() => rm(folder, { recursive: true }));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await killAll();
});

const CLAIMS = { sub: 'ann', aud: 'chat', exp: Math.floor(Date.now() / 1_000) + 3_600 };

async function writeSecret(): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  await writeFile(join(folder, 'secret'), secret, { mode: 0o600 });
  return secret;
}

/** Returns the uid in the welcome of a client with this token, or the code that closes it. */
async function login(url: string, token: string): Promise<unknown> {
  const client = await TestClient.open(url, { protocol: ['groupcast.v1', `groupcast.token.${token}`] });
  cleanups.push(() => client.close());
  const welcome = client.messages.next().then(
    ({ json }) => (json?.['type'] === 'welcome' ? json['uid'] : client.closed.then(({ code }) => code)),
    async () => (await client.closed).code,
  );
  return welcome;
}

test('a reload reads secrets and keys again, and no process shows a secret', async () => {
  const first = await writeSecret();
  const hub = await startHub();
  const gateway = await startGateway({
    ...{ hub: hub.address, workers: 2, drainSeconds: 0 },
    ...{ auth: 'token', tokenSecretFile: join(folder, 'secret') },
  });
  const old = signToken(CLAIMS, { key: first });
  expect(await login(gateway.url, old)).toBe('ann');

  const { workers } = await gateway.stats();
  for (const pid of workers.map((worker) => worker.pid)) {
    const seen = await Promise.all(
      ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'latin1')),
    );
    expect(seen.join('\n')).not.toContain(first);
  }

  const second = await writeSecret();
  expect((await gateway.reload()).reload).toMatchObject({ generation: 2, failed: 0 });
  expect(await login(gateway.url, old)).toBe(4501);
  expect(await login(gateway.url, signToken(CLAIMS, { key: second }))).toBe('ann');

  // A file that cannot be used changes nothing.
  await writeFile(join(folder, 'secret'), 'short');
  const { reload } = await gateway.reload();
  expect(reload).toMatchObject({
    generation: 2,
    failed: 1,
    error: expect.stringContaining('less than 32 bytes'),
  });
  expect(await login(gateway.url, signToken(CLAIMS, { key: second }))).toBe('ann');
});

test('without its keys a gateway asks to come back, and serves when they are there', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let isUp = false;
  const provider = createServer((_request, response) => {
    if (isUp) response.end(JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }));
    else response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => provider.close());
  const hub = await startHub();
  const gateway = await startGateway({
    ...{ hub: hub.address, auth: 'token', tokenAudience: 'chat' },
    tokenJwksUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`,
  });
  const token = signToken(CLAIMS, { key: privateKey });
  expect(await login(gateway.url, token)).toBe(1011);
  isUp = true;
  // The reload ends the pause before the next request.
  expect((await gateway.reload()).reload).toMatchObject({ generation: 2, failed: 0 });
  expect(await login(gateway.url, token)).toBe('ann');
  const line = gateway.process.stderr
    .split('\n')
    .find((text) => text.includes('keys of tokens cannot be loaded'));
  expect(line).toContain('has the status 503');
  expect(gateway.process.stderr).not.toContain(token);
});
