import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { createHub, type Hub, type HubOptionsInput } from '@groupcast/channel-hub';
import { HubClient, type HubClientOptions } from '@groupcast/hub-client';
import type { ProtocolError } from '@groupcast/protocol';
import {
  CERTIFICATES,
  certificateFile,
  killAll,
  RawSocket,
  startGateway,
  startHub,
  TestClient,
  until,
} from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';

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

  test('is left by a client that trusts others', async () => {
    const { hub, port } = await listen({ tls: hubCertificate });
    const error = await refusal(clientOf(port, {}));
    expect(error).toMatchObject({ code: 'hub_unavailable' });
    expect(error?.message).toContain('unable to verify the first certificate');
    await until(
      () => hub.stats().sessions === 0,
      () => 'no session to be left',
    );
  });

  test('says nothing to a peer that speaks no TLS', async () => {
    const { hub, port } = await listen({ tls: hubCertificate });
    const peer = await RawSocket.open({ port });
    peer.write(Buffer.from('0000000f0500000000000000010000', 'hex'));
    await peer.closed;
    await until(
      () => hub.stats().closed.tls_refused === 1,
      () => JSON.stringify(hub.stats()),
    );
    expect(hub.stats().sessions).toBe(0);
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

describe('a hub that asks for certificates', () => {
  const tls = { ...hubCertificate, ca };

  test('listens on any address without a secret, and takes peers that have one', async () => {
    const { port } = await listen({ tls, host: '0.0.0.0' });
    const client = clientOf(port, { ca, ...peerCertificate });
    expect(await client.publish('c', 'hello')).toMatchObject({ offset: 1 });
  });

  test('refuses peers that have none', async () => {
    const { hub, port } = await listen({ tls });
    expect(await refusal(clientOf(port, { ca }))).toMatchObject({ code: 'hub_unavailable' });
    expect(hub.stats()).toMatchObject({ sessions: 0, published: 0 });
  });

  test('refuses certificates that another authority has signed', async () => {
    const { hub, port } = await listen({ tls: { ...tls, ca: peerCertificate.cert } });
    const socket = connectTls({ host: '127.0.0.1', port, ca, ...hubCertificate });
    socket.on('error', () => {});
    await once(socket, 'close');
    await until(
      () => hub.stats().closed.tls_refused === 1,
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
