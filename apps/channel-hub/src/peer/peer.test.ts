import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createProof } from '@groupcast/link';
import { encodeFrame, encodeText, native } from '@groupcast/protocol';
import { TrustedAddresses } from '@groupcast/service';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answersUntilClosed } from '../../testing/raw-peer.ts';
import type { PendingPeers } from '../listen/pending-peers.ts';
import { completeOptions, type HubOptionsInput } from '../options.ts';
import { Peer } from './peer.ts';
import { createPeerDeps } from './peer-deps.ts';
import type { PeerEnd } from './peer-end.ts';

const SECRET = 'correct horse battery staple';
const ELSEWHERE = '203.0.113.7';
const SUBSCRIBE = encodeFrame(encodeText('{"type":"subscribe","channels":["c"]}'));

/** A peer of the hub that seems to be at an address, and the socket of its other end. */
async function peerOf(
  address: string | undefined,
  input: HubOptionsInput,
): Promise<{ peer: Peer; socket: Socket; ended: Promise<PeerEnd>; pendingPeers: PendingPeers }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  const [near] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    socket.destroy();
    near.destroy();
    server.close();
  });
  Object.defineProperty(near, 'remoteAddress', { value: address });
  const options = completeOptions(input);
  const { promise: ended, resolve } = promiseOfEnd();
  const deps = createPeerDeps(options, { rejected: () => {}, sent: () => {} });
  const events = { opened: () => {}, droppedInPart: () => {}, banChanged: () => {}, ended: resolve };
  await options.engine.start(deps.router);
  const { pendingPeers } = deps;
  return {
    peer: new Peer(1, near, new TrustedAddresses(options.trust).has(address), deps, events),
    socket,
    ended,
    pendingPeers,
  };
}

function promiseOfEnd(): { promise: Promise<PeerEnd>; resolve: (end: PeerEnd) => void } {
  let resolve: (end: PeerEnd) => void = () => {};
  const promise = new Promise<PeerEnd>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('a peer of another host', () => {
  test.each([ELSEWHERE, '::ffff:203.0.113.7', '2001:db8::1', undefined])(
    'in JSON must authenticate if there is a secret (%s)',
    async (address) => {
      const { socket, ended } = await peerOf(address, { secret: SECRET });
      socket.write(SUBSCRIBE);
      const answers = await answersUntilClosed(socket);
      expect(JSON.parse(answers.subarray(4).toString())).toMatchObject({
        type: 'error',
        code: 'unauthorized',
      });
      expect(await ended).toBe('unauthorized');
    },
  );

  test('is closed for a bad message before it has authenticated', async () => {
    const { socket, ended } = await peerOf(ELSEWHERE, { secret: SECRET });
    socket.write(encodeFrame(encodeText('{"type":')));
    await answersUntilClosed(socket);
    expect(await ended).toBe('bad_json');
  });

  test('is limited to 64 KiB before it has authenticated, and not after', async () => {
    const nonce = new Uint8Array(32).fill(7);
    const hello = native.encodeHello({ version: 1, nonce, name: '' });
    const tooLong = Uint8Array.of(0, 1, 0, 1);
    const first = await peerOf(ELSEWHERE, { secret: SECRET });
    first.socket.write(tooLong);
    expect(await first.ended).toBe('bad_length');
    const second = await peerOf(ELSEWHERE, { secret: SECRET });
    second.socket.write(hello);
    const [challengeFrame] = (await once(second.socket, 'data')) as [Uint8Array];
    const challenge = native.decodeNative(challengeFrame) as native.Challenge;
    second.socket.write(native.encodeProof(createProof(SECRET, 'peer', nonce, challenge.nonce)));
    await once(second.socket, 'data');
    second.socket.write(tooLong);
    second.socket.write(new Uint8Array(0xfffd).fill(0x1f));
    const answers = await answersUntilClosed(second.socket);
    expect(native.decodeNative(answers)).toMatchObject({ type: 'error', code: 'bad_frame' });
  });

  test('has a deadline from the start, which HELLO does not extend', async () => {
    const { socket, ended, pendingPeers } = await peerOf(ELSEWHERE, {
      secret: SECRET,
      authenticationMs: 30,
    });
    expect(pendingPeers.count).toBe(1);
    socket.resume();
    socket.write(native.encodeHello({ version: 1, nonce: new Uint8Array(32), name: '' }));
    expect(await ended).toBe('late');
    expect(pendingPeers.count).toBe(0);
  });

  test('may begin with any JSON without a secret, but not be silent', async () => {
    const talker = await peerOf(ELSEWHERE, { authenticationMs: 30 });
    talker.socket.write(SUBSCRIBE);
    await once(talker.socket, 'data');
    expect(talker.pendingPeers.count).toBe(0);
    const silent = await peerOf(ELSEWHERE, { authenticationMs: 30 });
    expect(await silent.ended).toBe('late');
    expect(talker.peer.row().state).toBe('open');
  });
});

test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('%s is this host', async (address) => {
  const { socket, peer, pendingPeers } = await peerOf(address, { secret: SECRET });
  expect(pendingPeers.count).toBe(0);
  socket.write(SUBSCRIBE);
  await once(socket, 'data');
  expect(peer.row()).toMatchObject({ state: 'open', subscriptions: 1 });
});

describe('a peer that speaks PHP', () => {
  const PHP = encodeFrame(encodeText('a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:1:{i:0;s:1:"c";}}'));

  test.each([
    ['there is a secret', { secret: SECRET }],
    ['there is no secret', { insecure: true }],
  ])('from elsewhere is closed without a word where %s', async (_name, options) => {
    const { socket, ended } = await peerOf(ELSEWHERE, options);
    socket.write(PHP);
    expect(await answersUntilClosed(socket)).toHaveLength(0);
    expect(await ended).toBe('untrusted');
  });

  test('from a trusted network is accepted, and has no deadline', async () => {
    const { peer, socket, pendingPeers } = await peerOf(ELSEWHERE, {
      secret: SECRET,
      trust: ['203.0.113.0/24'],
    });
    expect(pendingPeers.count).toBe(0);
    socket.write(PHP);
    while (peer.row().state !== 'open') await new Promise(setImmediate);
    expect(peer.row()).toMatchObject({ dialect: 'php', subscriptions: 1 });
  });
});
