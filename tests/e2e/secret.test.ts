import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameDecoder, limits, native } from '@groupcast/protocol';
import {
  adminRequest,
  killAll,
  launchGateway,
  launchHub,
  outerAddress,
  RawSocket,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const SECRET = randomBytes(32).toString('hex');

let folder: string;
let secretFile: string;
let wrongSecretFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groupcast-secret-'));
  secretFile = join(folder, 'secret');
  wrongSecretFile = join(folder, 'wrong');
  await writeFile(secretFile, SECRET, { mode: 0o600 });
  await writeFile(wrongSecretFile, randomBytes(32).toString('hex'), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

/** The proof of PROTOCOL.md, made here by its words and not by the code that is tested. */
function proofOf(secret: string, role: 'hub' | 'peer', peerNonce: Uint8Array, hubNonce: Uint8Array): Buffer {
  return createHmac('sha256', secret)
    .update(`groupcast/1 ${role}\n`)
    .update(peerNonce)
    .update(hubNonce)
    .digest();
}

/** The messages among the frames; the empty ones only say that the hub lives. */
function messagesIn(bytes: Uint8Array): native.NativeMessage[] {
  const frames: Uint8Array[] = [];
  new FrameDecoder().push(bytes, (frame) => frames.push(frame));
  return frames.filter((frame) => frame.length > limits.FRAME_HEADER_BYTES).map(native.decodeNative);
}

function subscribeToRoom(): Uint8Array {
  return native.encodeSubscribe({ request: 1, subjects: [{ name: 'group:room', prefix: false }] });
}

/** A peer that says hello, and proves itself with what `prove` makes of the challenge. */
async function greet(
  hub: TestHub,
  nonce: Uint8Array,
  prove: (challenge: native.Challenge) => Uint8Array,
): Promise<RawSocket> {
  const peer = await RawSocket.open({ port: hub.port });
  await peer.write(native.encodeHello({ version: native.NATIVE_VERSION, nonce, name: 'raw' }));
  const came = await peer.waitFor((bytes) => messagesIn(bytes).length > 0);
  const [challenge] = messagesIn(came);
  if (challenge?.type !== 'challenge') throw new Error(`A ${challenge?.type} came instead of a challenge.`);
  expect(Buffer.from(challenge.proof)).toEqual(proofOf(SECRET, 'hub', nonce, challenge.nonce));
  // The subscription rides along, in case the hub works on what it has not allowed yet.
  await peer.write(Buffer.concat([native.encodeProof(prove(challenge)), subscribeToRoom()]));
  return peer;
}

test('a hub that other hosts can reach does not start without a secret, and says what to do', async () => {
  const hub = await launchHub({ host: '0.0.0.0' });
  expect(await hub.process.finished).toEqual({ code: 1, signal: null });
  const lines = hub.process.stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('0.0.0.0');
  expect(lines[0]).toContain('Give --secret-file, or listen on 127.0.0.1');
  await killAll();
});

describe('a hub with a secret', () => {
  let hub: TestHub;
  let gateway: TestGateway;
  let member: TestClient;

  beforeAll(async () => {
    hub = await startHub({ host: '0.0.0.0', secretFile });
    gateway = await startGateway({ hub: `${outerAddress()}:${hub.port}`, secretFile });
    member = await TestClient.open(gateway.url);
    member.sendCommand({ cmd: 'add_group', group_id: 'room', id: 1 });
    await member.reply(1);
  });
  afterAll(killAll);

  async function expectMessagesFlow(): Promise<void> {
    const message = randomBytes(8).toString('hex');
    member.sendCommand({ cmd: 'send_to_group', group_id: 'room', message });
    await member.nextMatching(({ text }) => text === message);
  }

  test('serves a gateway that has the same', () => expectMessagesFlow());

  test('has gateways that sign the sessions of their clients, and accept no others', async () => {
    const second = await startGateway({ hub: `${outerAddress()}:${hub.port}`, secretFile });
    const welcome = async (
      url: string,
      session?: unknown,
    ): Promise<{ session?: unknown; client_id?: unknown }> => {
      const offered = session === undefined ? [] : [`groupcast.session.${session}`];
      const client = await TestClient.open(url, { protocol: ['groupcast.v1', ...offered] });
      const { json } = await client.next();
      await client.close();
      return json ?? {};
    };
    const first = await welcome(gateway.url);
    expect(first.session).toMatch(/^[\w-]{64}$/);
    expect(await welcome(second.url, first.session)).toMatchObject(first);
    const chosen = 'A'.repeat(43);
    expect((await welcome(second.url, chosen)).session).not.toBe(chosen);
    await second.stop();
  });

  test('accepts a peer with the right proof, and not one that replays the same bytes', async () => {
    const nonce = randomBytes(32);
    let proof: Uint8Array = new Uint8Array();
    const friend = await greet(hub, nonce, (challenge) => {
      proof = proofOf(SECRET, 'peer', nonce, challenge.nonce);
      return proof;
    });
    await friend.waitFor((bytes) => messagesIn(bytes).some(({ type }) => type === 'subscribed'));
    const thief = await greet(hub, nonce, () => proof);
    await thief.closed;
    await expectMessagesFlow();
    await friend.waitFor((bytes) => messagesIn(bytes).some(({ type }) => type === 'deliver'));
    friend.destroy();
    expect(messagesIn(thief.received)).toMatchObject([
      { type: 'challenge' },
      { type: 'error', code: 'unauthorized' },
    ]);
  });

  test.each([
    ['a random one', () => randomBytes(32)],
    ["the hub's own, sent back", (challenge: native.Challenge) => challenge.proof],
    ['one of zeros', () => new Uint8Array(32)],
  ])('gives a peer nothing for a wrong proof: %s', async (_what, prove) => {
    const thief = await greet(hub, randomBytes(32), prove);
    await thief.closed;
    await expectMessagesFlow();
    expect(messagesIn(thief.received).map(({ type }) => type)).toEqual(['challenge', 'error']);
  });

  test('sends nothing to a peer without a hello', async () => {
    const thief = await RawSocket.open({ port: hub.port });
    await thief.write(subscribeToRoom());
    await thief.closed;
    await expectMessagesFlow();
    expect(messagesIn(thief.received)).toMatchObject([{ type: 'error', code: 'unauthorized' }]);
  });

  test.each([
    ['another secret', () => ({ secretFile: wrongSecretFile }), /did not prove that it knows the secret/],
    ['no secret', () => ({}), /requires a proof, and this client has no secret/],
  ])('is not served by a gateway with %s, which says why', async (_what, flags, sentence) => {
    const stranger = await launchGateway({ hub: hub.address, ...flags() });
    const line = await stranger.process.waitForLine(/unauthorized/);
    expect(line).toMatch(sentence);
    await stranger.process.waitForLine(/\[NO HUB\]/);
    const { status } = await adminRequest(stranger.adminPort, '/readyz');
    expect(status).toBe(503);
    const names = (await hub.stats()).peers.filter(({ state }) => state === 'open').map(({ name }) => name);
    expect(names).toHaveLength(1);
    await stranger.kill();
  });
});

describe('a false hub', () => {
  let server: Server;
  let port: number;
  let connections: { readonly received: Buffer[] }[];
  let answer: (socket: Socket, hello: native.Hello, attempt: number) => void;

  beforeAll(async () => {
    server = createServer((socket) => {
      const received: Buffer[] = [];
      const attempt = connections.push({ received });
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        received.push(chunk);
        const messages = messagesIn(Buffer.concat(received));
        if (messages.length === 1 && messages[0]?.type === 'hello') answer(socket, messages[0], attempt);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(killAll);
  afterAll(() => server.close());

  test('learns nothing but a hello, however it answers', async () => {
    connections = [];
    const nonce = randomBytes(32);
    const welcome = native.encodeWelcome({
      version: native.NATIVE_VERSION,
      heartbeatMs: 5_000,
      frameBytesMax: 1_000_000,
    });
    const challenge = (proof: Uint8Array): Uint8Array => native.encodeChallenge({ nonce, proof });
    const answers: ((hello: native.Hello) => Uint8Array)[] = [
      () => welcome,
      () => Buffer.concat([challenge(randomBytes(32)), welcome]),
      (hello) => challenge(proofOf('another secret, also long enough', 'hub', hello.nonce, nonce)),
      (hello) => challenge(proofOf(SECRET, 'peer', hello.nonce, nonce)),
      (hello) => challenge(proofOf(SECRET, 'hub', randomBytes(32), hello.nonce)),
      () => native.encodePublished({ request: 1, position: { epoch: 'e', offset: 1 } }),
    ];
    answer = (socket, hello, attempt) => {
      const bytes = answers[attempt - 1]?.(hello);
      if (bytes === undefined) socket.destroy();
      else socket.write(bytes);
    };
    const gateway = await launchGateway({ hub: `127.0.0.1:${port}`, secretFile });
    await gateway.process.waitForLine(/\[NO HUB\]/);
    const client = await TestClient.open(gateway.url);
    client.sendCommand({ cmd: 'add_group', group_id: 'room' });
    client.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: 'not for the false hub' });

    await until(
      () => connections.length,
      'an attempt after each of the answers',
      (count) => count > answers.length,
    );
    // The last attempt has just begun, and may not have said anything yet.
    const heard = connections
      .slice(0, answers.length)
      .map(({ received }) => messagesIn(Buffer.concat(received)).map(({ type }) => type));
    expect(heard).toEqual(answers.map(() => ['hello']));
    expect(gateway.process.stderr).toMatch(/"code":"unauthorized"/);
    expect((await adminRequest(gateway.adminPort, '/readyz')).status).toBe(503);
  });
});
