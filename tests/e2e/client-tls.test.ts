import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { certificateFile, killAll, startGateway, startHub } from '@groupcast/testkit';
import { handshake } from '@groupcast/testkit/in-process';
import { afterEach, expect, onTestFinished, test } from 'vitest';

afterEach(killAll);

/** Upgrades over TLS, and resolves with the subject of the certificate. */
function subjectAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    // The test replaces the certificate by one for no address.
    const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      client.write(handshake());
    });
    client.on('error', reject);
    client.once('data', (answer: Buffer) => {
      expect(String(answer)).toMatch(/^HTTP\/1.1 101 /);
      resolve(String(client.getPeerCertificate().subject.CN));
      client.destroy();
    });
  });
}

function connectTo(port: number, session?: Buffer): TLSSocket {
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false };
  return connect(session === undefined ? options : { ...options, session });
}

/** Connects, and resolves with the session that the server offers. */
async function firstSession(port: number): Promise<Buffer> {
  const client = connectTo(port);
  const [session]: [Buffer] = (await once(client, 'session')) as [Buffer];
  client.destroy();
  return session;
}

/** Connects with a session, and resolves with whether the server has accepted it. */
async function isResumed(port: number, session: Buffer): Promise<boolean> {
  const client = connectTo(port, session);
  await once(client, 'secureConnect');
  const isReused = client.isSessionReused();
  client.destroy();
  return isReused;
}

test('a client resumes its TLS session on any worker; a reload changes the keys', async () => {
  const hub = await startHub();
  const [tlsCertFile, tlsKeyFile] = [certificateFile('hub.pem'), certificateFile('hub.key.pem')];
  const flags = { hub: hub.address, workers: 4, drainSeconds: 0, tlsCertFile, tlsKeyFile };
  const gateway = await startGateway(flags);
  const session = await firstSession(gateway.port);
  for (let count = 0; count < 20; count++) expect(await isResumed(gateway.port, session)).toBe(true);
  expect((await gateway.reload()).reload.error).toBeUndefined();
  for (let count = 0; count < 8; count++) expect(await isResumed(gateway.port, session)).toBe(false);
});

test('a gateway serves TLS with the certificate of its files, and a reload reads them again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [tlsCertFile, tlsKeyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const use = (name: 'hub' | 'peer'): void => {
    copyFileSync(certificateFile(`${name}.pem`), tlsCertFile);
    copyFileSync(certificateFile(`${name}.key.pem`), tlsKeyFile);
  };
  use('hub');
  const hub = await startHub();
  const flags = { hub: hub.address, workers: 2, warmUpMs: 50, drainSeconds: 0, tlsCertFile, tlsKeyFile };
  const gateway = await startGateway(flags);
  expect((await gateway.stats())['listen']).toBe(`wss://127.0.0.1:${gateway.port}`);
  const before = await subjectAt(gateway.port);

  use('peer');
  expect((await gateway.reload()).reload.error).toBeUndefined();
  const after = await subjectAt(gateway.port);
  expect(after).not.toBe(before);

  copyFileSync(certificateFile('hub.pem'), tlsCertFile);
  expect((await gateway.reload()).reload.error).toMatch(/TLS cannot use .*cert\.pem/);
  expect(await subjectAt(gateway.port)).toBe(after);
});
