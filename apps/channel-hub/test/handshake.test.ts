import { createNonce, createProof, isProof, Link } from '@groupcast/link';
import { encodeFrame, encodeText, native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { JsonPeer } from '../testing/json-peer.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { connectRaw } from '../testing/raw-peer.ts';
import { closedAs, startHub, until } from '../testing/start-hub.ts';

const SECRET = 'correct horse battery staple';
const NEW_SECRET = 'wrong donkey generator clip';

describe('a native peer', () => {
  test('is welcomed at once without a secret, and learns the limits', async () => {
    const { hub, port, lines } = await startHub({ heartbeatMs: 1_234, frameBytesMax: 5_000_000 });
    const peer = await NativePeer.connect(port);
    peer.hello('worker 1');
    expect(await peer.take('welcome')).toEqual({
      type: 'welcome',
      version: 1,
      heartbeatMs: 1_234,
      frameBytesMax: 5_000_000,
      capabilities: native.ALL_CAPABILITIES,
    });
    expect(hub.peers()).toMatchObject([{ name: 'worker 1', dialect: 'native', state: 'open' }]);
    expect(lines).toMatchObject([{ level: 'info', message: 'Peer connected' }]);
  });

  test('and the hub prove the secret to each other', async () => {
    const { port } = await startHub({ secret: SECRET });
    const peer = await NativePeer.connect(port);
    peer.hello();
    const challenge = await peer.take('challenge');
    const expected = createProof(SECRET, 'hub', peer.nonce, challenge.nonce);
    expect(isProof(challenge.proof, expected)).toBe(true);
    peer.prove(SECRET, challenge);
    await peer.take('welcome');
    await peer.subscribe(channel('c'));
  });

  describe('of a hub with two secrets', () => {
    test('finds a proof of its own secret, and is accepted with either', async () => {
      const { hub, port } = await startHub({ secret: [SECRET, NEW_SECRET] });
      for (const [secret, proofOf] of [
        [SECRET, (challenge: native.Challenge) => challenge.proof],
        [NEW_SECRET, (challenge: native.Challenge) => challenge.otherProof!],
      ] as const) {
        const peer = await NativePeer.connect(port);
        peer.hello();
        const challenge = await peer.take('challenge');
        const expected = createProof(secret, 'hub', peer.nonce, challenge.nonce);
        expect(Buffer.from(proofOf(challenge))).toEqual(Buffer.from(expected));
        peer.prove(secret, challenge);
        await peer.take('welcome');
      }
      expect(hub.stats().connectedPeers).toBe(2);
    });

    test('is rejected with a third', async () => {
      const { hub, port } = await startHub({ secret: [SECRET, NEW_SECRET] });
      const peer = await NativePeer.connect(port);
      peer.hello();
      peer.prove('another secret', await peer.take('challenge'));
      expect(await peer.take('error')).toMatchObject({ code: 'unauthorized' });
      await closedAs(hub, 'unauthorized');
    });

    test('is rejected when its secret is removed between challenge and proof; open peers stay, and are counted', async () => {
      const { hub, port } = await startHub({ secret: [SECRET, NEW_SECRET] });
      const open = await NativePeer.open(port, SECRET);
      const late = await NativePeer.connect(port);
      late.hello();
      const challenge = await late.take('challenge');
      expect(hub.changeSecret(NEW_SECRET)).toEqual({ accepted: 1, peersWithOldSecret: 1 });
      late.prove(SECRET, challenge);
      expect(await late.take('error')).toMatchObject({ code: 'unauthorized' });
      await open.subscribe(channel('c'));
      await NativePeer.open(port, NEW_SECRET);
    });

    test('gets one proof when both secrets are the same', async () => {
      const { port } = await startHub({ secret: [SECRET, SECRET] });
      const peer = await NativePeer.connect(port);
      peer.hello();
      expect(await peer.take('challenge')).not.toHaveProperty('otherProof');
    });
  });

  test('gets another challenge each time', async () => {
    const { port } = await startHub({ secret: SECRET });
    const nonces = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const peer = await NativePeer.connect(port);
      peer.hello();
      nonces.add(Buffer.from((await peer.take('challenge')).nonce).toString('hex'));
    }
    expect(nonces.size).toBe(5);
  });

  test('with a wrong proof gets an error and nothing else, and its requests are not handled', async () => {
    const { hub, port, lines } = await startHub({ secret: SECRET });
    const peer = await NativePeer.connect(port);
    peer.hello();
    peer.prove('another secret', await peer.take('challenge'));
    peer.sendSubscribe(channel('c'));
    peer.sendPublish('c', 'x');
    expect(await peer.ended()).toBe('peer_closed');
    expect(peer.inbox.all.slice(1)).toMatchObject([{ type: 'error', request: 0, code: 'unauthorized' }]);
    await closedAs(hub, 'unauthorized');
    expect(hub.stats()).toMatchObject({ subscriptions: 0, published: 0 });
    expect(lines).toMatchObject([{ level: 'warn', fields: { reason: 'unauthorized' } }]);
  });

  test('that replays the bytes of another peer gets nothing', async () => {
    const { hub, port } = await startHub({ secret: SECRET });
    const honest = await NativePeer.connect(port);
    honest.hello();
    const { nonce } = await honest.take('challenge');
    const recorded = native.encodeProof(createProof(SECRET, 'peer', honest.nonce, nonce));
    honest.link.send(recorded);
    await honest.take('welcome');
    const thief = await NativePeer.connect(port);
    thief.link.send(native.encodeHello({ version: 1, nonce: honest.nonce, name: 'test' }));
    await thief.take('challenge');
    thief.link.send(recorded);
    expect(await thief.take('error')).toMatchObject({ code: 'unauthorized' });
    await closedAs(hub, 'unauthorized');
    expect(hub.stats()).toMatchObject({ connectedPeers: 1 });
  });

  test('cannot use the proof of the hub as its own', async () => {
    const { port } = await startHub({ secret: SECRET });
    const peer = await NativePeer.connect(port);
    peer.hello();
    peer.link.send(native.encodeProof((await peer.take('challenge')).proof));
    expect(await peer.take('error')).toMatchObject({ code: 'unauthorized' });
  });

  test.each([
    ['subscribes', (peer: NativePeer) => peer.sendSubscribe(channel('c'))],
    ['publishes', (peer: NativePeer) => peer.sendPublish('c', 'x')],
    ['unsubscribes', (peer: NativePeer) => peer.unsubscribe(channel('c'))],
    ['proves', (peer: NativePeer) => peer.link.send(native.encodeProof(new Uint8Array(32)))],
  ])('that %s without a HELLO is rejected and closed, with a secret or without', async (_verb, act) => {
    for (const secret of ['', SECRET]) {
      const { hub, port } = await startHub({ secret });
      const peer = await NativePeer.connect(port);
      act(peer);
      expect(await peer.ended()).toBe('peer_closed');
      expect(peer.inbox.all).toMatchObject([{ type: 'error', request: 0, code: 'unauthorized' }]);
      await closedAs(hub, 'unauthorized');
      expect(hub.stats()).toMatchObject({ published: 0, subscriptions: 0 });
    }
  });

  test('that sends HELLO twice is closed', async () => {
    const { port } = await startHub();
    const peer = await NativePeer.open(port);
    peer.hello();
    expect(await peer.take('error')).toMatchObject({ request: 0, code: 'bad_frame' });
    await peer.ended();
  });

  test('that speaks another version gets an error', async () => {
    const { port } = await startHub();
    const peer = await NativePeer.connect(port);
    peer.link.send(native.encodeHello({ version: 2, nonce: createNonce(), name: '' }));
    expect(await peer.take('error')).toMatchObject({ request: 0, code: 'unsupported_version' });
    await peer.ended();
  });

  test('that sent HELLO must authenticate in time, and cannot send much before', async () => {
    const { hub, port } = await startHub({ secret: SECRET, authenticationMs: 300 });
    const late = await NativePeer.connect(port);
    late.hello();
    await late.take('challenge');
    expect(hub.stats().pendingPeers).toBe(1);
    await late.ended();
    await closedAs(hub, 'late');
    expect(hub.stats().pendingPeers).toBe(0);
    const patient = await startHub({ secret: SECRET });
    const talker = await NativePeer.connect(patient.port);
    talker.hello();
    await talker.take('challenge');
    talker.link.send(Uint8Array.of(0, 1, 0, 1, native.OPCODES.proof));
    await closedAs(patient.hub, 'bad_length');
    expect(patient.hub.stats().pendingPeers).toBe(0);
  });

  test('that was welcomed in time stays', async () => {
    const { hub, port } = await startHub({ secret: SECRET, authenticationMs: 500 });
    const peer = await NativePeer.open(port, SECRET);
    const late = await NativePeer.connect(port);
    late.hello();
    await closedAs(hub, 'late');
    await peer.settle();
    expect(hub.stats().connectedPeers).toBe(1);
  });

  test('finds a place among too many unauthenticated peers of its address: the oldest is closed', async () => {
    const { hub, port } = await startHub({ secret: SECRET, pendingPerAddressMax: 2 });
    const waiting = [await NativePeer.connect(port), await NativePeer.connect(port)];
    for (const peer of waiting) peer.hello();
    const challenges = [await waiting[0]!.take('challenge'), await waiting[1]!.take('challenge')];
    await NativePeer.open(port, SECRET);
    await waiting[0]!.ended();
    await closedAs(hub, 'too_many_pending');
    expect(hub.stats()).toMatchObject({ connectedPeers: 2, pendingPeers: 1 });
    waiting[1]!.prove(SECRET, challenges[1]!);
    await waiting[1]!.take('welcome');
    expect(hub.stats().pendingPeers).toBe(0);
  });

  test('is not kept out by 64 silent peers of its address, however often they reconnect', async () => {
    const { hub, port } = await startHub({ secret: SECRET, localTrust: false });
    for (let round = 0; round < 2; round++) {
      for (let count = 0; count < 64; count++) await connectRaw(port);
      const peer = await NativePeer.open(port, SECRET);
      await peer.settle();
    }
    await until(() => hub.stats().pendingPeers <= 64);
    expect(hub.stats().closed).toMatchObject({ too_many_pending: expect.any(Number) });
  });
});

describe('silent peers of this machine', () => {
  test('have a deadline for their first frame above half of the limit of peers', async () => {
    const { hub, port } = await startHub({ authenticationMs: 20, peersMax: 6 });
    const speaks = await JsonPeer.connect(port);
    speaks.send({ type: 'subscribe', channels: ['c'] });
    await speaks.take('subscribed');
    for (let count = 0; count < 2; count++) await connectRaw(port);
    // Its own deadline has passed; those of the others would have passed, too.
    const late = await NativePeer.connect(port);
    await late.ended();
    await until(() => hub.stats().connectedPeers === 1);
    expect(hub.stats().closed).toEqual({ late: 3 });
    speaks.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
    await speaks.take('published');
  });

  test('give way to a new peer when the hub is full, the oldest first; open peers never do', async () => {
    const { hub, port } = await startHub({ peersMax: 3 });
    const first = await NativePeer.open(port);
    const silent = [await connectRaw(port), await connectRaw(port)];
    const gone: number[] = [];
    silent.forEach((socket, index) => {
      socket.resume().once('close', () => gone.push(index));
    });
    for (let count = 1; count <= 2; count++) {
      await NativePeer.open(port);
      await until(() => gone.length === count);
    }
    expect(gone).toEqual([0, 1]);
    const tooMuch = await connectRaw(port);
    await new Promise((resolve) => tooMuch.resume().once('close', resolve));
    await first.settle();
    expect(hub.stats()).toMatchObject({ connectedPeers: 3, dropped: 1, closed: { too_many_pending: 2 } });
  });
});

describe('a JSON peer of this machine', () => {
  test('may begin with any request despite a secret', async () => {
    const { hub, port } = await startHub({ secret: SECRET });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'publish', id: 1, channels: ['c'], data: 'x'.repeat(100_000) });
    expect(await peer.take('published')).toMatchObject({ id: 1, positions: [{ channel: 'c' }] });
    expect(hub.peers()).toMatchObject([{ dialect: 'json', state: 'open' }]);
  });

  test('may request a proof of the hub, and must then send its own', async () => {
    const { port } = await startHub({ secret: SECRET });
    const peer = await JsonPeer.connect(port);
    const nonce = createNonce();
    peer.send({ type: 'hello', version: 1, nonce: hex(nonce), name: 'tool' });
    const challenge = await peer.take('challenge');
    const hubNonce = Buffer.from(challenge.nonce, 'hex');
    expect(challenge.proof).toBe(hex(createProof(SECRET, 'hub', nonce, hubNonce)));
    peer.send({ type: 'proof', proof: hex(createProof(SECRET, 'peer', nonce, hubNonce)) });
    expect(await peer.take('welcome')).toEqual({
      type: 'welcome',
      version: 1,
      heartbeat_ms: 0,
      frame_bytes_max: 10_485_760,
    });
  });

  test('gets both proofs of a hub with two secrets', async () => {
    const { port } = await startHub({ secret: [SECRET, NEW_SECRET] });
    const peer = await JsonPeer.connect(port);
    const nonce = createNonce();
    peer.send({ type: 'hello', version: 1, nonce: hex(nonce) });
    const challenge = await peer.take('challenge');
    const hubNonce = Buffer.from(challenge.nonce, 'hex');
    expect(challenge.other_proof).toBe(hex(createProof(NEW_SECRET, 'hub', nonce, hubNonce)));
    peer.send({ type: 'proof', proof: hex(createProof(NEW_SECRET, 'peer', nonce, hubNonce)) });
    await peer.take('welcome');
  });

  test.each([
    { type: 'publish', id: 1, channels: ['c'], data: 1 },
    { type: 'subscribe', id: 1, channels: ['c'] },
    { type: 'unsubscribe', id: 1, channels: ['c'] },
    { type: 'history', id: 1, channel: 'c', epoch: '', offset: 0 },
    { type: 'ping', id: 1 },
    { type: 'enqueue', id: 1, queue: 'q', data: 1 },
    { type: 'watch', id: 1, queue: 'q' },
    { type: 'unwatch', queue: 'q' },
    { type: 'done', queue: 'q', item: 1, attempt: 1 },
    { type: 'failed', queue: 'q', item: 1, attempt: 1 },
  ])('must prove itself where local peers are not trusted: before $type', async (request) => {
    const { hub, port } = await startHub({ secret: SECRET, localTrust: false });
    const peer = await JsonPeer.connect(port);
    peer.send(request);
    await closedAs(hub, 'unauthorized');
    expect(await peer.take('error')).toMatchObject({ code: 'unauthorized' });
    expect(peer.inbox.all).toHaveLength(1);
    expect(hub.stats()).toMatchObject({ published: 0, subscriptions: 0 });
  });

  test('need not if its address is trusted', async () => {
    const { port } = await startHub({ secret: SECRET, localTrust: false, trust: ['127.0.0.1'] });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
    await peer.take('published');
  });

  test('with a wrong proof is closed', async () => {
    const { hub, port } = await startHub({ secret: SECRET });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'hello', version: 1, nonce: hex(createNonce()) });
    await peer.take('challenge');
    peer.send({ type: 'proof', proof: hex(new Uint8Array(32)) });
    peer.send({ type: 'subscribe', channels: ['c'] });
    expect(await peer.take('error')).toMatchObject({ code: 'unauthorized' });
    await expect(peer.take('subscribed')).rejects.toThrow('ended');
    await closedAs(hub, 'unauthorized');
    expect(hub.stats().subscriptions).toBe(0);
  });

  test('that requests another version gets an error', async () => {
    const { port } = await startHub();
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'hello', version: 9, nonce: hex(createNonce()) });
    expect(await peer.take('error')).toMatchObject({ code: 'unsupported_version' });
  });
});

test('a local peer may be silent without a limit before its first frame, while there is room', async () => {
  const { hub, port } = await startHub({ secret: SECRET, authenticationMs: 20, pendingPerAddressMax: 1 });
  const silent = [await connectRaw(port), await connectRaw(port)];
  // When this one is closed, the others would have been closed before.
  const late = await NativePeer.connect(port);
  late.hello();
  await closedAs(hub, 'late');
  expect(hub.stats()).toMatchObject({ connectedPeers: 2, pendingPeers: 0 });
  const body = { type: 'publish', id: 'late', channels: ['c'], data: 1 };
  const answer = new Promise<Uint8Array>((resolve) => {
    const receiveSpan = (bytes: Uint8Array, start: number, end: number): number => {
      resolve(bytes.subarray(start, end));
      return end - start;
    };
    new Link(silent[0]!, { receiveSpan, closed: () => {} });
  });
  silent[0]!.write(encodeFrame(encodeText(JSON.stringify(body))));
  expect(Buffer.from(await answer).toString()).toContain('"published"');
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
