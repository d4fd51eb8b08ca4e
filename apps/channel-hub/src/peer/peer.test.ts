import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createProof } from '@groupcast/link';
import { encodeFrame, encodeText, native } from '@groupcast/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answersUntilClosed } from '../../testing/raw-peer.ts';
import type { PendingPeers } from '../listen/pending-peers.ts';
import { TrustedAddresses } from '../listen/trusted-addresses.ts';
import { completeOptions, type HubOptionsInput } from '../options.ts';
import { Session } from './peer.ts';
import { createSessionShared } from './peer-deps.ts';
import type { SessionEnd } from './peer-end.ts';

const SECRET = 'correct horse battery staple';
const ELSEWHERE = '203.0.113.7';
const SUBSCRIBE = encodeFrame(encodeText('{"type":"subscribe","channels":["c"]}'));

/** A session whose peer seems to be at an address, and the socket of that peer. */
async function sessionOf(
  address: string | undefined,
  input: HubOptionsInput,
): Promise<{ session: Session; socket: Socket; ended: Promise<SessionEnd>; pendingPeers: PendingPeers }> {
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
  const shared = createSessionShared(options, {
    opened: () => {},
    refused: () => {},
    droppedInPart: () => {},
    handedOut: () => {},
    ended: (_session, end) => resolve(end),
  });
  await options.engine.start(shared.router);
  const { pendingPeers } = shared;
  return {
    session: new Session(1, near, new TrustedAddresses(options.trust).has(address), shared),
    socket,
    ended,
    pendingPeers,
  };
}

function promiseOfEnd(): { promise: Promise<SessionEnd>; resolve: (end: SessionEnd) => void } {
  let resolve: (end: SessionEnd) => void = () => {};
  const promise = new Promise<SessionEnd>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('a peer from elsewhere', () => {
  test.each([ELSEWHERE, '::ffff:203.0.113.7', '2001:db8::1', undefined])(
    'in JSON must prove itself where there is a secret (%s)',
    async (address) => {
      const { socket, ended } = await sessionOf(address, { secret: SECRET });
      socket.write(SUBSCRIBE);
      const answers = await answersUntilClosed(socket);
      expect(JSON.parse(answers.subarray(4).toString())).toMatchObject({
        type: 'error',
        code: 'unauthorized',
      });
      expect(await ended).toBe('unauthorized');
    },
  );

  test('is closed for a bad message before it has proved itself', async () => {
    const { socket, ended } = await sessionOf(ELSEWHERE, { secret: SECRET });
    socket.write(encodeFrame(encodeText('{"type":')));
    await answersUntilClosed(socket);
    expect(await ended).toBe('bad_json');
  });

  test('is held to 64 KiB before it has proved itself, and not after', async () => {
    const nonce = new Uint8Array(32).fill(7);
    const hello = native.encodeHello({ version: 1, nonce, name: '' });
    const tooLong = Uint8Array.of(0, 1, 0, 1);
    const first = await sessionOf(ELSEWHERE, { secret: SECRET });
    first.socket.write(tooLong);
    expect(await first.ended).toBe('bad_length');
    const second = await sessionOf(ELSEWHERE, { secret: SECRET });
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

  test('has a deadline from the start, which hello does not put off', async () => {
    const { socket, ended, pendingPeers } = await sessionOf(ELSEWHERE, {
      secret: SECRET,
      authenticationMs: 30,
    });
    expect(pendingPeers.count).toBe(1);
    socket.resume();
    socket.write(native.encodeHello({ version: 1, nonce: new Uint8Array(32), name: '' }));
    expect(await ended).toBe('late');
    expect(pendingPeers.count).toBe(0);
  });

  test('may begin with any JSON where there is no secret, but not be silent', async () => {
    const talker = await sessionOf(ELSEWHERE, { authenticationMs: 30 });
    talker.socket.write(SUBSCRIBE);
    await once(talker.socket, 'data');
    expect(talker.pendingPeers.count).toBe(0);
    const silent = await sessionOf(ELSEWHERE, { authenticationMs: 30 });
    expect(await silent.ended).toBe('late');
    expect(talker.session.row().state).toBe('open');
  });
});

test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('%s is this machine', async (address) => {
  const { socket, session, pendingPeers } = await sessionOf(address, { secret: SECRET });
  expect(pendingPeers.count).toBe(0);
  socket.write(SUBSCRIBE);
  await once(socket, 'data');
  expect(session.row()).toMatchObject({ state: 'open', subjects: 1 });
});

describe('a peer that speaks PHP', () => {
  const PHP = encodeFrame(encodeText('a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:1:{i:0;s:1:"c";}}'));

  test.each([
    ['there is a secret', { secret: SECRET }],
    ['there is none', { insecure: true }],
  ])('from elsewhere is closed without a word where %s', async (_name, options) => {
    const { socket, ended } = await sessionOf(ELSEWHERE, options);
    socket.write(PHP);
    expect(await answersUntilClosed(socket)).toHaveLength(0);
    expect(await ended).toBe('untrusted');
  });

  test('from a trusted network is taken, and has no deadline', async () => {
    const { session, socket, pendingPeers } = await sessionOf(ELSEWHERE, {
      secret: SECRET,
      trust: ['203.0.113.0/24'],
    });
    expect(pendingPeers.count).toBe(0);
    socket.write(PHP);
    while (session.row().state !== 'open') await new Promise(setImmediate);
    expect(session.row()).toMatchObject({ dialect: 'php', subjects: 1 });
  });
});
