import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { CERTIFICATES, outerAddress } from '@groupcast/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createHub } from '../src/hub.ts';
import { JsonPeer } from '../testing/json-peer.ts';
import { connectRaw } from '../testing/raw-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

// A hub that listens on several addresses. 127.0.0.2 stands for the address of a private network:
// on Linux every address of 127.0.0.0/8 is one of this machine.

const onLinux = test.runIf(process.platform === 'linux');

const SECRET = 'correct horse battery staple';
const HOSTS = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

onLinux('peers on each address are in one hub, on one port', async () => {
  const { hub, port } = await startHub({ host: HOSTS });
  const peers = await Promise.all(HOSTS.map((host) => JsonPeer.connect(port, host)));
  for (const peer of peers) peer.send({ type: 'subscribe', channels: ['c'] });
  for (const peer of peers) await peer.take('subscribed');
  peers[0]!.send({ type: 'publish', id: 1, channels: ['c'], data: 'x' });
  for (const peer of peers) expect(await peer.take('event')).toMatchObject({ data: 'x' });
  expect(hub.stats().connectedPeers).toBe(3);
});

onLinux('closing frees the port on each address, and ends the peers of all', async () => {
  const { hub, port } = await startHub({ host: HOSTS });
  const sockets = await Promise.all(HOSTS.map((host) => connectRaw(port, host)));
  for (const socket of sockets) socket.resume();
  await until(() => hub.stats().connectedPeers === 3);
  await hub.close();
  for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
  for (const host of HOSTS)
    await expect(connectRaw(port, host)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

onLinux('all addresses speak TLS, and share the limit of handshakes', async () => {
  const { hub: cert, ca } = CERTIFICATES;
  const { hub, port } = await startHub({ host: HOSTS, tls: cert, tlsHandshakesMax: 1 });
  for (const [index, host] of HOSTS.entries()) {
    const socket = connectTls({
      host,
      port,
      ca,
      servername: 'localhost',
      checkServerIdentity: () => undefined,
    });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    // Until the hub, too, has finished the handshake.
    await until(() => hub.stats().connectedPeers > index);
  }
  const silent = await connectRaw(port, '127.0.0.1');
  await connectRaw(port, '127.0.0.2');
  if (!silent.closed) await once(silent.resume(), 'close');
  expect(hub.stats().closed).toMatchObject({ too_many_pending: 1 });
});

onLinux('an address that is in use rejects, and leaves none open', async () => {
  const { port } = await startHub({ host: '127.0.0.2' });
  const hub = createHub({ host: ['127.0.0.1', '127.0.0.2'], port });
  await expect(hub.listen()).rejects.toMatchObject({ code: 'EADDRINUSE', address: '127.0.0.2' });
  await hub.close();
  await expect(connectRaw(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('one address that others reach is enough to need a secret', async () => {
  const hub = createHub({ host: ['127.0.0.1', '192.0.2.1'], port: 0 });
  await expect(hub.listen()).rejects.toMatchObject({
    code: 'secret_required',
    message: expect.stringContaining('192.0.2.1'),
  });
});

test.each([
  [[], /at least one address/],
  [['127.0.0.1', '127.0.0.1'], /127\.0\.0\.1 is given twice/],
  [['0.0.0.0', '10.0.0.5'], /0\.0\.0\.0 includes 10\.0\.0\.5/],
  [['::1', '::'], /:: includes ::1/],
  [['0.0.0.0', '::'], /:: includes 0\.0\.0\.0/],
  [['127.0.0.1', '[::1]'], /without brackets/],
  [Array.from({ length: 17 }, (_, index) => `10.0.0.${index}`), /at most 16 addresses/],
])('%j are no addresses to listen on', (host, sentence) => {
  expect(() => createHub({ host })).toThrow(sentence);
});

onLinux('on each address a peer may have to prove a secret', async () => {
  const { port } = await startHub({ host: ['127.0.0.1', outerAddress()], secret: SECRET });
  const local = await JsonPeer.connect(port);
  local.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
  expect(await local.take('published')).toMatchObject({ id: 1 });
  const remote = await JsonPeer.connect(port, outerAddress());
  remote.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
  expect(await remote.take('error')).toMatchObject({ code: 'unauthorized' });
});
