import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { createHub, type Hub, type HubOptionsInput } from '@groupcast/hub';
import { HubClient, type HubClientOptions } from '@groupcast/hub-client';
import type { ProtocolError } from '@groupcast/protocol';
import {
  CERTIFICATES,
  certificateFile,
  killAll,
  launchGateway,
  RawSocket,
  REPOSITORY,
  startGateway,
  startHub,
  startProcess,
  TestClient,
  until,
} from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const { ca, hub: hubCertificate, peer: peerCertificate } = CERTIFICATES;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await killAll();
});

async function listen(options: HubOptionsInput): Promise<{ hub: Hub; port: number }> {
  const hub = createHub({ port: 0, ...options });
  const { port } = await hub.listen();
  cleanups.push(() => hub.close());
  return { hub, port };
}

function clientOf(port: number, tls: HubClientOptions['tls']): HubClient {
  const client = new HubClient({ port, tls });
  cleanups.push(() => client.close());
  client.connect();
  return client;
}

/** Why the first attempt to connect failed. */
async function refusal(client: HubClient): Promise<ProtocolError | undefined> {
  for (;;) {
    const [state, error] = await once(client, 'state');
    if (state === 'open') throw new Error('The link was opened.');
    if (state === 'waiting') return error;
  }
}

describe('a hub with a certificate', () => {
  test('carries publications to a client that trusts it', async () => {
    const { port } = await listen({ tls: hubCertificate });
    const client = clientOf(port, { ca });
    expect(await client.publish('c', 'hello')).toMatchObject({ offset: 1 });
  });

  test('is rejected by a client that trusts others', async () => {
    const { hub, port } = await listen({ tls: hubCertificate });
    const error = await refusal(clientOf(port, {}));
    expect(error).toMatchObject({ code: 'hub_unavailable' });
    expect(error?.message).toContain('unable to verify the first certificate');
    await until(
      () => hub.stats().connectedPeers === 0,
      () => 'no session to be left',
    );
  });

  test('sends nothing to a peer without TLS', async () => {
    const { hub, port } = await listen({ tls: hubCertificate });
    const peer = await RawSocket.open({ port });
    peer.write(Buffer.from('0000000f0500000000000000010000', 'hex'));
    await peer.closed;
    await until(
      () => hub.stats().closed.tls_rejected === 1,
      () => JSON.stringify(hub.stats()),
    );
    expect(hub.stats().connectedPeers).toBe(0);
  });

  test('closes without waiting for a peer that does not finish the handshake', async () => {
    const { hub, port } = await listen({ tls: hubCertificate });
    const peer = await RawSocket.open({ port });
    const other = clientOf(port, { ca });
    await other.publish('c', 'the connection before this one was accepted');
    await hub.close();
    await peer.closed;
  });
});

describe('silent peers of a hub with a certificate', () => {
  /** A peer that is silent after the TLS handshake. */
  async function silentPeer(port: number): Promise<TLSSocket> {
    const socket = connectTls({ host: '127.0.0.1', port, ca }).on('error', () => {});
    cleanups.push(() => socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  }

  test('give way to a new one when the hub is full, the oldest first; one that is open never does', async () => {
    const { hub, port } = await listen({ tls: hubCertificate, peersMax: 3 });
    const open = clientOf(port, { ca });
    await open.publish('c', 'open');
    const silent = [await silentPeer(port), await silentPeer(port)];
    await until(
      () => hub.stats().connectedPeers === 3,
      () => JSON.stringify(hub.stats()),
    );
    for (const socket of silent) {
      const closed = once(socket.resume(), 'close');
      await clientOf(port, { ca }).publish('c', 'newcomer');
      await closed;
    }
    expect(await open.publish('c', 'still open')).toMatchObject({ offset: 4 });
    expect(open.stats().reconnects).toBe(0);
    expect(hub.stats()).toMatchObject({ connectedPeers: 3, dropped: 0, closed: { too_many_pending: 2 } });
  });

  test('give way in the TLS handshake, in any number and while the hub is full', async () => {
    const { hub, port } = await listen({ tls: hubCertificate, peersMax: 2, tlsHandshakesMax: 4 });
    const open = clientOf(port, { ca });
    await open.publish('c', 'open');
    const silent: RawSocket[] = [];
    for (let count = 0; count < 20; count++) silent.push(await RawSocket.open({ port }));
    await Promise.all(silent.slice(0, -4).map(({ closed }) => closed));
    await clientOf(port, { ca }).publish('c', 'newcomer');
    await silent.at(-4)?.closed;
    expect(await open.publish('c', 'still open')).toMatchObject({ offset: 3 });
    expect(open.stats().reconnects).toBe(0);
    expect(hub.stats()).toMatchObject({ connectedPeers: 2, dropped: 0, closed: { too_many_pending: 17 } });
  });
});

describe('a hub that asks for certificates', () => {
  const tls = { ...hubCertificate, ca };

  test('listens on any address without a secret, and accepts peers that have one', async () => {
    const { port } = await listen({ tls, host: '0.0.0.0' });
    const client = clientOf(port, { ca, ...peerCertificate });
    expect(await client.publish('c', 'hello')).toMatchObject({ offset: 1 });
  });

  test('rejects peers without a certificate', async () => {
    const { hub, port } = await listen({ tls });
    expect(await refusal(clientOf(port, { ca }))).toMatchObject({ code: 'hub_unavailable' });
    expect(hub.stats()).toMatchObject({ connectedPeers: 0, published: 0 });
  });

  test('rejects certificates of another authority', async () => {
    const { hub, port } = await listen({ tls: { ...tls, ca: peerCertificate.cert } });
    const socket = connectTls({ host: '127.0.0.1', port, ca, ...hubCertificate });
    socket.on('error', () => {});
    await once(socket, 'close');
    await until(
      () => hub.stats().closed.tls_rejected === 1,
      () => JSON.stringify(hub.stats()),
    );
  });
});

test('hub and gateway as processes speak mutual TLS', async () => {
  const hub = await startHub({
    tlsCertFile: certificateFile('hub.pem'),
    tlsKeyFile: certificateFile('hub.key.pem'),
    tlsCaFile: certificateFile('ca.pem'),
  });
  const gateway = await startGateway({
    hub: hub.address,
    hubTls: true,
    hubTlsCaFile: certificateFile('ca.pem'),
    hubTlsCertFile: certificateFile('peer.pem'),
    hubTlsKeyFile: certificateFile('peer.key.pem'),
  });
  const client = await TestClient.open(gateway.url);
  client.sendCommand({ cmd: 'add_group', group_id: 1 });
  client.sendCommand({ cmd: 'send_to_group', group_id: 1, message: 'through TLS' });
  expect((await client.next()).text).toBe('through TLS');
});

describe('certificates that gen-certs has made', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'groupcast-tls-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function genCerts(...flags: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const command = ['--import', 'tsx', 'apps/channel-hub/src/main.ts', 'gen-certs', ...flags];
    const child = startProcess(process.execPath, command, { cwd: REPOSITORY });
    const { code } = await child.finished;
    return { code, out: child.stdout, err: child.stderr };
  }

  /** The commands of the README, but for the ports. */
  const hubFlags = (dir: string): Record<string, string> => ({
    tlsCertFile: join(dir, 'hub.pem'),
    tlsKeyFile: join(dir, 'hub.key'),
    tlsCaFile: join(dir, 'ca.pem'),
  });
  const gatewayFlags = (dir: string): Record<string, string | boolean> => ({
    hubTls: true,
    hubTlsCaFile: join(dir, 'ca.pem'),
    hubTlsCertFile: join(dir, 'gateway.pem'),
    hubTlsKeyFile: join(dir, 'gateway.key'),
  });

  test('serve hub and gateway as in the README, and neither accepts those of another authority', async () => {
    const [ours, others] = [join(folder, 'ours'), join(folder, 'others')];
    const made = await genCerts('--dir', ours, '--host', '127.0.0.1,hub.example.com');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out.trimEnd().split('\n')).toHaveLength(5);
    await genCerts('--dir', others, '--host', '127.0.0.1');
    for (const name of await readdir(ours)) {
      const { mode } = await stat(join(ours, name));
      expect([name, mode & 0o777]).toEqual([name, name.endsWith('.key') ? 0o600 : 0o644]);
    }

    const hub = await startHub({ host: '0.0.0.0', ...hubFlags(ours) });
    const gateway = await startGateway({ hub: hub.address, ...gatewayFlags(ours) });
    const client = await TestClient.open(gateway.url);
    client.sendCommand({ cmd: 'add_group', group_id: 1 });
    client.sendCommand({ cmd: 'send_to_group', group_id: 1, message: 'through TLS' });
    expect((await client.next()).text).toBe('through TLS');

    const trustsOthers = { ...gatewayFlags(ours), hubTlsCaFile: join(others, 'ca.pem') };
    const wary = await launchGateway({ hub: hub.address, ...trustsOthers });
    await wary.process.waitForLine(/cannot be reached \(.*certificate/);
    const stranger = await launchGateway({
      hub: hub.address,
      ...gatewayFlags(others),
      ...{ hubTlsCaFile: join(ours, 'ca.pem') },
    });
    await stranger.process.waitForLine(/hub_unavailable/);
    await hub.process.waitForLine(/rejected in the TLS handshake/);
    expect((await hub.stats()).peers.filter(({ state }) => state === 'open')).toHaveLength(1);
  });

  test('are for the hosts that were named', async () => {
    const dir = join(folder, 'elsewhere');
    await genCerts('--dir', dir, '--host', '10.0.0.5');
    const [hubCert, hubKey, ca] = await Promise.all(
      ['hub.pem', 'hub.key', 'ca.pem'].map((name) => readFile(join(dir, name), 'utf8')),
    );
    const { port } = await listen({ tls: { cert: hubCert!, key: hubKey! } });
    const error = await refusal(clientOf(port, { ca: ca! }));
    expect(error?.message).toContain("IP: 127.0.0.1 is not in the cert's list: 10.0.0.5");
  });

  test('are never replaced, and not created without a name', async () => {
    const dir = join(folder, 'kept');
    await mkdir(dir);
    await writeFile(join(dir, 'gateway.key'), 'mine');
    const present = await genCerts('--dir', dir, '--host', '127.0.0.1');
    expect(present).toMatchObject({ code: 1, out: '' });
    expect(present.err).toContain(`gateway.key in ${dir} would be overwritten`);
    expect(await readdir(dir)).toEqual(['gateway.key']);
    const bare = await genCerts();
    expect(bare.code).toBe(1);
    expect(bare.err.trimEnd().split('\n')).toEqual([
      expect.stringContaining('--dir FOLDER'),
      expect.stringContaining('--host ADDRESS'),
    ]);
    expect((await genCerts('--dir', dir, '--host', 'no host')).err).toContain('addresses or names of hosts');
  });
});
