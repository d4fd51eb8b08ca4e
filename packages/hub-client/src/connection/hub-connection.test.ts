import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createProof } from '@groupcast/link';
import {
  decodeText,
  encodeFrame,
  HEARTBEAT_FRAME,
  limits,
  native,
  type ProtocolError,
} from '@groupcast/protocol';
import { EventQueue, freePort } from '@groupcast/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { delivery, FakeHub, type FakeSession } from '../../testing/fake-hub.ts';
import type { HistoryPage } from '../history/history-page.ts';
import { HUB_CLIENT_DEFAULTS, type HubClientOptions } from '../options.ts';
import { HubConnection } from './hub-connection.ts';

const SECRET = 'a shared secret of some length';

type Event =
  | { readonly type: 'connected' }
  | { readonly type: 'opened'; readonly welcome: native.Welcome }
  | { readonly type: 'received'; readonly message: native.NativeMessage }
  | { readonly type: 'page'; readonly request: number; readonly page: HistoryPage<native.HistoryVerdict> }
  | { readonly type: 'skipped' }
  | { readonly type: 'leaving'; readonly reconnectAfterMs: number }
  | { readonly type: 'ended'; readonly error: ProtocolError | undefined };

let hub: FakeHub;
let opened: HubConnection[];
beforeEach(async () => {
  hub = await FakeHub.start();
  opened = [];
});
afterEach(async () => {
  for (const connection of opened) connection.close();
  await hub.close();
});

function connect(options: Partial<HubClientOptions> = {}): EventQueue<Event> {
  const events = new EventQueue<Event>('event of the connection');
  const connection = new HubConnection(
    { ...HUB_CLIENT_DEFAULTS, port: hub.port, ...options },
    {
      connected: () => events.push({ type: 'connected' }),
      opened: (welcome) => events.push({ type: 'opened', welcome }),
      receive: (message) => events.push({ type: 'received', message }),
      skipped: () => events.push({ type: 'skipped' }),
      receivePage: (request, page) => events.push({ type: 'page', request, page }),
      leaving: (reconnectAfterMs) => events.push({ type: 'leaving', reconnectAfterMs }),
      ended: (error) => events.push({ type: 'ended', error }),
    },
  );
  opened.push(connection);
  return events;
}

/** Resolves with the error of a connection that was never open. */
async function refusal(events: EventQueue<Event>): Promise<ProtocolError> {
  const last = await events.seen(({ type }) => type === 'ended');
  expect(events.all.map(({ type }) => type)).toEqual(['connected', 'ended']);
  if (last.type !== 'ended' || last.error === undefined) throw new Error('It ended without an error.');
  return last.error;
}

/** Asserts that the client sent one HELLO only: no channel names, no proof. */
async function expectOnlyHello(session: FakeSession): Promise<void> {
  await session.raw.closed;
  expect(session.received.all.map(({ type }) => type)).toEqual(['hello']);
  const { received } = session.raw;
  expect(received.length).toBe(received.readUInt32BE(0));
}

describe('without a secret', () => {
  test('sends its name, and is accepted', async () => {
    const events = connect({ name: 'worker-1' });
    const session = await hub.accept();
    const hello = await session.expect('hello');
    expect(hello).toMatchObject({ version: 1, name: 'worker-1' });
    expect(hello.nonce).toHaveLength(limits.NONCE_BYTES);
    session.welcome({ heartbeatMs: 1_234, frameBytesMax: 5_678 });
    const event = await events.seen(({ type }) => type === 'opened');
    expect(event).toMatchObject({ welcome: { heartbeatMs: 1_234, frameBytesMax: 5_678 } });
  });

  test('fails when the hub asks for a proof', async () => {
    const events = connect();
    const session = await hub.accept();
    const hello = await session.expect('hello');
    await expect(session.challenge(hello, SECRET)).rejects.toThrow('the client has gone');
    const error = await refusal(events);
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('this client has no secret');
    await expectOnlyHello(session);
  });
});

describe('with a secret', () => {
  test('both sides prove that they know it', async () => {
    const events = connect({ secret: SECRET });
    const session = await hub.accept();
    const hello = await session.expect('hello');
    expect(await session.challenge(hello, SECRET)).toBe(true);
    expect(events.all.map(({ type }) => type)).toEqual(['connected']);
    session.welcome();
    await events.seen(({ type }) => type === 'opened');
    expect(session.raw.received.includes(SECRET)).toBe(false);
  });

  test('accepts a hub that has it as its second secret', async () => {
    const events = connect({ secret: SECRET });
    const session = await hub.accept();
    const { nonce } = await session.expect('hello');
    const own = Buffer.alloc(32, 1);
    const proof = createProof('the one before', 'hub', nonce, own);
    session.send(
      native.encodeChallenge({ nonce: own, proof, otherProof: createProof(SECRET, 'hub', nonce, own) }),
    );
    expect(Buffer.from((await session.expect('proof')).proof)).toEqual(
      Buffer.from(createProof(SECRET, 'peer', nonce, own)),
    );
    session.welcome();
    await events.seen(({ type }) => type === 'opened');
  });

  test('never uses a nonce twice', async () => {
    const nonces = new Set<string>();
    for (let connections = 0; connections < 5; connections++) {
      connect({ secret: SECRET });
      const { nonce } = await (await hub.accept()).expect('hello');
      nonces.add(Buffer.from(nonce).toString('hex'));
    }
    expect(nonces.size).toBe(5);
  });

  const wrongHubs: readonly [string, (hello: native.Hello) => Uint8Array[]][] = [
    [
      'has another secret',
      ({ nonce }) => {
        const own = Buffer.alloc(32, 1);
        return [native.encodeChallenge({ nonce: own, proof: createProof('other', 'hub', nonce, own) })];
      },
    ],
    [
      'sends the proof of the other role',
      ({ nonce }) => [native.encodeChallenge({ nonce, proof: createProof(SECRET, 'peer', nonce, nonce) })],
    ],
    [
      'plays back the proof of another connection',
      () => {
        const own = Buffer.alloc(32, 1);
        const earlier = Buffer.alloc(32, 2);
        return [native.encodeChallenge({ nonce: own, proof: createProof(SECRET, 'hub', earlier, own) })];
      },
    ],
    [
      'has two other secrets',
      ({ nonce }) => {
        const own = Buffer.alloc(32, 1);
        const [proof, otherProof] = ['other', 'another'].map((text) => createProof(text, 'hub', nonce, own));
        return [native.encodeChallenge({ nonce: own, proof: proof!, otherProof: otherProof! })];
      },
    ],
    [
      'sends a proof of zeros',
      () => [native.encodeChallenge({ nonce: Buffer.alloc(32), proof: Buffer.alloc(32) })],
    ],
    ['asks for no proof', () => []],
  ];

  test.each(wrongHubs)(
    'closes a connection to a hub that %s, and sends it nothing',
    async (_name, answer) => {
      const events = connect({ secret: SECRET });
      const session = await hub.accept();
      const hello = await session.expect('hello');
      // What an impostor sends after it, in the same write, is ignored.
      const welcome = native.encodeWelcome({ version: 1, heartbeatMs: 5_000, frameBytesMax: 1_000 });
      session.send(...answer(hello), welcome, delivery('a', 1, 'false'));
      expect((await refusal(events)).code).toBe('unauthorized');
      await expectOnlyHello(session);
    },
  );

  test('fails when the hub rejects its proof', async () => {
    const events = connect({ secret: SECRET });
    const session = await hub.accept();
    await session.challenge(await session.expect('hello'), SECRET);
    session.send(native.encodeError({ request: 0, code: 'unauthorized', message: 'Wrong proof.' }));
    expect(await refusal(events)).toMatchObject({
      code: 'unauthorized',
      message: `The hub at 127.0.0.1:${hub.port} rejected this client: Wrong proof.`,
    });
  });

  test('answers one challenge only', async () => {
    const events = connect({ secret: SECRET });
    const session = await hub.accept();
    const hello = await session.expect('hello');
    await session.challenge(hello, SECRET);
    await expect(session.challenge(hello, SECRET)).rejects.toThrow('the client has gone');
    expect((await refusal(events)).code).toBe('bad_frame');
  });
});

describe('an invalid hub', () => {
  const nonsense: readonly [string, Uint8Array, string][] = [
    ['an HTTP server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'bad_length'],
    ['a TLS server', Buffer.of(0x15, 3, 1, 0, 2, 2, 50), 'bad_length'],
    ['an SSH server', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 'bad_length'],
    ['a length below 4', Buffer.of(0, 0, 0, 3), 'bad_length'],
    ['an unknown opcode', Buffer.of(0, 0, 0, 5, 0x1f), 'bad_frame'],
    ['JSON in a frame', Buffer.from('\0\0\0\x06{}'), 'bad_frame'],
    ['a challenge that is cut short', Buffer.of(0, 0, 0, 6, 2, 0), 'bad_frame'],
  ];
  test.each(nonsense)('is closed: %s', async (_name, bytes, code) => {
    const events = connect();
    const session = await hub.accept();
    await session.expect('hello');
    session.send(bytes);
    const error = await refusal(events);
    expect(error).toMatchObject({ code: 'hub_unavailable', cause: { code } });
    expect(error.message).toContain('sent invalid data');
    await expectOnlyHello(session);
  });

  test.each([
    ['10 MiB', 10 * 1024 * 1024],
    ['one byte above the limit before authentication', limits.UNAUTHENTICATED_BYTES_MAX + 1],
  ])('is closed when it announces a frame of %s before the handshake is over', async (_name, length) => {
    const events = connect();
    const session = await hub.accept();
    const promise = Buffer.alloc(4);
    promise.writeUInt32BE(length);
    session.send(promise);
    expect(await refusal(events)).toMatchObject({ cause: { code: 'bad_length' } });
    await session.raw.closed;
  });

  test.each([
    ['a publication', delivery('a', 1, 'x')],
    ['an answer', native.encodePublished({ request: 1, position: { epoch: 'e', offset: 1 } })],
    ['a proof', native.encodeProof(Buffer.alloc(32))],
  ])('is closed when it sends %s instead of accepting the client', async (_name, frame) => {
    const events = connect();
    const session = await hub.accept();
    session.send(frame);
    expect((await refusal(events)).code).toBe('bad_frame');
  });

  test('is closed when it never answers, or stops in the middle', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.of(0, 0), Buffer.of(0, 0, 1, 0, 4)]) {
      const events = connect({ connectMs: 20 });
      const session = await hub.accept();
      session.send(bytes);
      const error = await events.seen(({ type }) => type === 'ended');
      expect(error).toMatchObject({ error: { code: 'hub_unavailable' } });
      expect(String((error as { error?: ProtocolError }).error)).toContain('did not answer in time');
      await session.raw.closed;
    }
  });

  test('is closed when it uses another version', async () => {
    const events = connect();
    const session = await hub.accept();
    session.welcome({ version: 2 });
    expect(await refusal(events)).toMatchObject({ code: 'unsupported_version' });
    await expectOnlyHello(session);
  });

  test('the error tells a normal close from a reset', async () => {
    const events = connect();
    const session = await hub.accept();
    await session.expect('hello');
    session.raw.end();
    expect((await refusal(events)).message).toContain('closed the connection');

    const broken = connect();
    const breaker = await hub.accept();
    await breaker.expect('hello');
    breaker.raw.reset();
    expect(await refusal(broken)).toMatchObject({ code: 'hub_unavailable', cause: { code: 'ECONNRESET' } });
  });

  test('a hub that closes without an answer may require TLS, and a later close has another reason', async () => {
    const events = connect();
    const session = await hub.accept();
    await session.expect('hello');
    session.raw.end();
    expect((await refusal(events)).message).toBe(
      `The hub at 127.0.0.1:${hub.port} closed the connection without an answer. If the hub requires TLS, use it here too.`,
    );

    const open = connect();
    const welcomed = await hub.welcome();
    await open.seen(({ type }) => type === 'opened');
    welcomed.raw.reset();
    const last = await open.seen(({ type }) => type === 'ended');
    expect(last).toMatchObject({
      error: { message: `The hub at 127.0.0.1:${hub.port} closed the connection (read ECONNRESET).` },
    });
  });

  test('a plain hub is named as such by a client with TLS, whether it answers or closes', async () => {
    for (const isAnswered of [true, false]) {
      const server = createServer((socket) => {
        if (isAnswered) socket.write(encodeFrame(new Uint8Array(64)));
        else socket.end();
        socket.on('error', () => {}).resume();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const last = await connect({ port, tls: {} }).seen(({ type }) => type === 'ended');
      server.close();
      const sentence = isAnswered ? 'does not speak TLS' : 'closed the connection in the TLS handshake';
      expect(last).toMatchObject({ error: { message: expect.stringContaining(sentence) } });
      expect(last).toMatchObject({
        error: { message: expect.stringMatching(/give the hub a certificate\.$/i) },
      });
    }
  });

  test('an address without a hub says what to do', async () => {
    const port = await freePort();
    const last = await connect({ port }).seen(({ type }) => type === 'ended');
    expect(last).toMatchObject({
      error: {
        message: `The hub at 127.0.0.1:${port} cannot be reached (connect ECONNREFUSED 127.0.0.1:${port}). Start the hub there, or correct the address.`,
      },
    });
  });

  test('may reject with a code that is not known here', async () => {
    const events = connect();
    const session = await hub.accept();
    session.send(native.encodeError({ request: 0, code: 'tuesday', message: 'Closed on Tuesdays.' }));
    const error = await refusal(events);
    expect(error.code).toBe('internal_error');
    expect(error.message).toContain('Closed on Tuesdays.');
  });
});

describe('an open connection', () => {
  test('accepts frames up to the full limit', async () => {
    const events = connect();
    const session = await hub.welcome();
    session.send(delivery('a', 1, 'x'.repeat(4 * limits.UNAUTHENTICATED_BYTES_MAX)));
    const event = await events.seen(({ type }) => type === 'received');
    expect(event).toMatchObject({ message: { type: 'deliver', publication: { number: 1 } } });
  });

  test("sends heartbeats at the hub's interval, and closes when the hub is silent", async () => {
    const events = connect({ link: { ...HUB_CLIENT_DEFAULTS.link, tickMs: 5 } });
    const session = await hub.accept();
    const hello = await session.expect('hello');
    const helloBytes = native.encodeHello(hello).length;
    session.welcome({ heartbeatMs: 10 });
    const { error } = (await events.seen(({ type }) => type === 'ended')) as { error?: ProtocolError };
    expect(error?.code).toBe('hub_unavailable');
    expect(error?.message).toContain('is silent');
    const beats = (await session.raw.waitForBytes(helloBytes + 4)).subarray(helloBytes);
    expect(beats.subarray(0, 4)).toEqual(Buffer.from(HEARTBEAT_FRAME));
  });
});

describe('a page of history', () => {
  // The answer to request 7: recovered, position 9 of epoch `e`, with two publications of `a`.
  const HEADER = '0000001e 0d 0000000000000007 00 0000000000000009 01 65 00000002 00 01';
  const SIX = '0000001e 09 00 0001 00 00 0000 0000000000000006 00000000000003e8 61 78';
  const SEVEN = '0000001d 09 00 0001 00 00 0000 0000000000000007 00000000000003e9 61';
  const EMPTY = '0000001e 0d 0000000000000007 02 0000000000000009 01 65 00000000 00 00';
  const bytesOf = (...frames: string[]): Buffer => Buffer.from(frames.join('').replaceAll(' ', ''), 'hex');
  const heartbeat = Buffer.from(HEARTBEAT_FRAME).toString('hex');

  async function openConnection(): Promise<[EventQueue<Event>, FakeSession]> {
    const events = connect();
    const session = await hub.welcome();
    await events.seen(({ type }) => type === 'opened');
    return [events, session];
  }

  test.each([
    ['whole', 1_000],
    ['byte by byte', 1],
    ['in pieces', 13],
  ])('is received when all of it has arrived, %s', async (_name, length) => {
    const [events, session] = await openConnection();
    const bytes = bytesOf(HEADER, heartbeat, SIX, heartbeat, SEVEN, SIX);
    for (let at = 0; at < bytes.length; at += length)
      await session.raw.write(bytes.subarray(at, at + length));
    const event = await events.seen(({ type }) => type === 'page');
    if (event.type !== 'page') throw new Error('It is no page.');
    const { publications, ...header } = event.page;
    expect(event.request).toBe(7);
    const position = { epoch: 'e', offset: 9 };
    expect(header).toEqual({ verdict: 'recovered', position, epochIs: 'same', more: true });
    expect(publications.map(({ timeMs }) => timeMs)).toEqual([1_000, 1_001]);
    expect(
      publications.map(({ channel, number, payload }) => [channel, number, decodeText(payload)]),
    ).toEqual([
      ['a', 6, 'x'],
      ['a', 7, ''],
    ]);
    // The next publication is live again.
    await events.seen(({ type }) => type === 'received');
    expect(events.all.map(({ type }) => type)).toEqual(['connected', 'opened', 'page', 'received']);
  });

  test('without publications is received at once', async () => {
    const [events, session] = await openConnection();
    session.send(bytesOf(EMPTY));
    const position = { epoch: 'e', offset: 9 };
    const page = { verdict: 'trimmed', position, epochIs: 'same', publications: [], more: false };
    expect(await events.seen(({ type }) => type === 'page')).toEqual({ type: 'page', request: 7, page });
  });

  test.each([
    ['an answer', native.encodePublished({ request: 1, position: { epoch: 'e', offset: 1 } })],
    ['an error', native.encodeError({ request: 0, code: 'bad_frame', message: '' })],
    ['another page', bytesOf(EMPTY)],
    ['a farewell', native.encodeGoaway({ reconnectAfterMs: 0 })],
  ])('with %s in the middle ends the connection', async (_name, frame) => {
    const [events, session] = await openConnection();
    session.send(bytesOf(HEADER, SIX), frame);
    const { error } = (await events.seen(({ type }) => type === 'ended')) as { error?: ProtocolError };
    expect(error).toMatchObject({ code: 'hub_unavailable', cause: { code: 'bad_frame' } });
    expect(events.all.map(({ type }) => type)).toEqual(['connected', 'opened', 'ended']);
  });

  test('may have one publication of any length, and then no other', async () => {
    const [events, session] = await openConnection();
    const long = delivery('a', 6, 'x'.repeat(limits.HISTORY_PAGE_BYTES_MAX));
    const one = bytesOf(HEADER.replace('00000002', '00000001'));
    session.send(one, long);
    await events.seen(({ type }) => type === 'page');
    session.send(bytesOf(HEADER), long, delivery('a', 7, ''));
    const { error } = (await events.seen(({ type }) => type === 'ended')) as { error?: ProtocolError };
    expect(error).toMatchObject({ cause: { code: 'bad_length' } });
  });

  test('is an error in the handshake', async () => {
    const events = connect();
    const session = await hub.accept();
    session.send(bytesOf(EMPTY));
    expect((await refusal(events)).code).toBe('bad_frame');
  });
});

test('GOAWAY is received with its delay, and ends the time of new requests', async () => {
  const events = new EventQueue<Event>('event of the connection');
  const wasOpen: boolean[] = [];
  const connection = new HubConnection(
    { ...HUB_CLIENT_DEFAULTS, port: hub.port },
    {
      connected: () => wasOpen.push(connection.isOpen),
      opened: () => wasOpen.push(connection.isOpen),
      receive: (message) => events.push({ type: 'received', message }),
      skipped: () => events.push({ type: 'skipped' }),
      receivePage: (request, page) => events.push({ type: 'page', request, page }),
      leaving: (reconnectAfterMs) => events.push({ type: 'leaving', reconnectAfterMs }),
      ended: () => {},
    },
  );
  opened.push(connection);
  const session = await hub.welcome();
  session.send(Buffer.from('000000090e000005dc', 'hex'), delivery('a', 1, 'still comes'));
  await events.seen(({ type }) => type === 'received');
  expect(events.all[0]).toEqual({ type: 'leaving', reconnectAfterMs: 1_500 });
  expect([...wasOpen, connection.isOpen]).toEqual([false, true, false]);
});
