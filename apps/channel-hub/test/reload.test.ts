import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import {
  adminRequest,
  freePort,
  killAll,
  REPOSITORY,
  startHub,
  startProcess,
  until,
} from '@groupcast/testkit';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { type CertificateFiles, makeCertificates } from '../src/cli/certificates.ts';
import { createHub } from '../src/hub.ts';
import { NativePeer } from '../testing/native-peer.ts';

// SIGHUP: the certificate files are read again, and a closed terminal drains.

vi.setConfig({ testTimeout: 60_000 });
afterEach(killAll);

/** Connects as a client that accepts any certificate; resolves with the hub's fingerprint. */
async function connectTo(port: number): Promise<{ socket: TLSSocket; fingerprint: string }> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return { socket, fingerprint: socket.getPeerCertificate().fingerprint256 };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'groupcast-reload-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function write(path: string, files: CertificateFiles): void {
  for (const name of ['hub.pem', 'hub.key'] as const) {
    writeFileSync(join(path, name), files[name], { mode: 0o600 });
  }
}

test('SIGHUP makes new peers meet a new certificate, and leaves connected peers alone', async () => {
  const path = folder();
  write(path, await makeCertificates(['127.0.0.1'], 1));
  const hub = await startHub({ tlsCertFile: join(path, 'hub.pem'), tlsKeyFile: join(path, 'hub.key') });
  const before = await connectTo(hub.port);

  write(path, await makeCertificates(['127.0.0.1'], 1));
  hub.process.kill('SIGHUP');
  await hub.process.waitForLine(/Certificate files read again/);
  const after = await connectTo(hub.port);
  expect(after.fingerprint).not.toBe(before.fingerprint);
  expect(before.socket.destroyed).toBe(false);

  writeFileSync(join(path, 'hub.key'), 'no key');
  hub.process.kill('SIGHUP');
  await hub.process.waitForLine(/Certificates not changed: TLS cannot use .*hub\.key/);
  expect((await connectTo(hub.port)).fingerprint).toBe(after.fingerprint);
});

test('a running hub cannot change between TLS and none, or begin to require certificates', async () => {
  const { 'hub.pem': cert, 'hub.key': key, 'ca.pem': ca } = await makeCertificates(['127.0.0.1'], 1);
  const plain = createHub();
  const tls = createHub({ tls: { cert, key } });
  onTestFinished(() => Promise.all([plain.close(), tls.close()]).then(() => {}));
  expect(() => plain.changeTls({ cert, key })).toThrow(/Restart it/);
  expect(() => tls.changeTls(undefined)).toThrow(/Restart it/);
  expect(() => tls.changeTls({ cert, key, ca })).toThrow(/Restart it/);
  expect(() => tls.changeTls({ cert: 'x', key: 'y' })).toThrow(/PEM/);
  tls.changeTls({ cert, key });
});

test.runIf(process.platform === 'linux')('a terminal that is closed drains the hub', async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const hub = `exec ${process.execPath} --import tsx apps/channel-hub/src/main.ts start --warm-up-ms 0`;
  // `script` gives the hub a terminal, which ends with it.
  const terminal = startProcess(
    'script',
    ['-qec', `${hub} --port ${port} --admin-port ${adminPort} --drain-seconds 600`, '/dev/null'],
    { cwd: REPOSITORY },
  );
  await terminal.waitForLine(/Start success/);
  const peer = await NativePeer.open(port);
  terminal.kill('SIGKILL');
  await peer.take('goaway');
  expect((await adminRequest(adminPort, '/readyz')).status).toBe(503);
  peer.link.close();
  await until(async () => {
    try {
      await adminRequest(adminPort, '/healthz');
      return false;
    } catch {
      return true;
    }
  }, 'the end of the hub');
});
