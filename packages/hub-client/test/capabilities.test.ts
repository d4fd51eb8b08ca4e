import { encodeText, native, type ProtocolError } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { HUB_CLIENT_DEFAULTS } from '../src/options.ts';
import type { PublishOptions } from '../src/publishing/publish-frame.ts';
import { delivery, type FakeSession, page } from '../testing/fake-hub.ts';
import { nextState, Recorder, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();
const { extended, ephemeral, keyed } = native.CAPABILITIES;

/** Opcode 0x17 of a later version, with two bytes of content, and its bit. */
const LATER_FRAME = Uint8Array.of(0, 0, 0, 7, 0x17, 1, 2);
const LATER_BIT = 0x0002_0000;

const EPHEMERAL: PublishOptions = { ephemeral: true };
const KEYED: PublishOptions = { keyed: { key: 'k' } };

function codeOf(publish: Promise<unknown>): Promise<string> {
  return publish.then(
    () => 'published',
    ({ code }: ProtocolError) => code,
  );
}

describe('the capabilities of the client', () => {
  test('are the last bytes of HELLO', async () => {
    const client = fixture.client({ name: 'n' });
    client.connect();
    const session = await fixture.hub.accept();
    await session.expect('hello');
    const hello = session.raw.received;
    expect(hello.subarray(-6).toString('hex')).toBe(`016e${'00000007'}`);
  });
});

describe('a hub without a capability', () => {
  test.each([
    ['ephemeral', EPHEMERAL, extended | keyed],
    ['keyed', KEYED, extended | ephemeral],
  ])('gets no %s publication, and the caller is told at once', async (_name, options, capabilities) => {
    const [client, session] = await fixture.open({}, { capabilities });
    expect(await codeOf(client.publish('c', 'x', options))).toBe('unsupported');
    const plain = client.publish('c', 'plain');
    await session.takePublish(1);
    await plain;
    expect(session.received.rest).toEqual([]);
    expect(client.stats()).toMatchObject({ published: 1, rejected: 1 });
  });

  test('gets none that was buffered for another one', async () => {
    const client = fixture.client();
    const outcomes = [EPHEMERAL, {}, KEYED].map((options) => codeOf(client.publish('c', 'x', options)));
    client.connect();
    const session = await fixture.hub.welcome({ capabilities: extended });
    expect(await session.takePublish(1)).toMatchObject({ ephemeral: false, keyed: undefined });
    expect(await Promise.all(outcomes)).toEqual(['unsupported', 'published', 'unsupported']);
    expect(session.received.rest).toEqual([]);
  });
});

describe('a message of a later version', () => {
  const LATER = { capabilities: native.ALL_CAPABILITIES | LATER_BIT };

  test.each([
    ['whole', 1_000],
    ['byte by byte', 1],
  ])('is skipped and counted when the hub announced it, %s', async (_name, length) => {
    const [client, session] = await fixture.open({}, LATER);
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    await session.takeSubscribe(5);
    const bytes = Buffer.concat([
      LATER_FRAME,
      delivery('a', 6, 'six'),
      LATER_FRAME,
      delivery('a', 7, 'seven'),
    ]);
    for (let at = 0; at < bytes.length; at += length)
      await session.raw.write(bytes.subarray(at, at + length));
    await recorder.events.seen((event) => event === 'a 7 seven');
    expect(recorder.events.all).toEqual(['at a 5', 'a 6 six', 'a 7 seven']);
    expect(client.stats()).toMatchObject({ skipped: 2, delivered: 2, reconnects: 0 });
  });

  test.each<[string, number, (session: FakeSession) => Promise<void> | void]>([
    ['that was not announced', native.ALL_CAPABILITIES, (session) => session.send(LATER_FRAME)],
    ['with another bit', LATER.capabilities, (session) => session.send(Uint8Array.of(0, 0, 0, 5, 0x16))],
    [
      'in place of a publication of a page',
      LATER.capabilities,
      async (session) => {
        const header = page(await session.expect('history'), ['six']).subarray(0, 30 + 'epoch-1'.length - 1);
        session.send(header, LATER_FRAME);
      },
    ],
  ])('%s ends the connection', async (_name, capabilities, send) => {
    const [client, session] = await fixture.open({}, { capabilities });
    const states = statesOf(client);
    client.history('a', { epoch: 'epoch-1', offset: 5 }, { page: () => {}, failed: () => {} });
    await send(session);
    const { error } = await nextState(states, 'waiting');
    expect(error).toMatchObject({ cause: { code: 'bad_frame' } });
    expect(client.stats().skipped).toBe(0);
  });

  test('in the handshake ends the connection', async () => {
    const client = fixture.client({ link: HUB_CLIENT_DEFAULTS.link });
    const states = statesOf(client);
    client.connect();
    const session = await fixture.hub.accept();
    session.send(LATER_FRAME);
    expect((await nextState(states, 'waiting')).error).toMatchObject({ cause: { code: 'bad_frame' } });
  });
});

describe('publications with more fields', () => {
  test('meta and time reach subscribers as they are', async () => {
    const [client, session] = await fixture.open();
    const seen: native.Publication[] = [];
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    client.subscribe('a', { deliver: (publication) => seen.push(publication) });
    await session.takeSubscribe(5);
    // Offset 6, time 1,000, channel `a`, meta `{}`, payload `x`.
    const hex = '00000020 09 00 0001 00 00 0002 0000000000000006 00000000000003e8 61 7b7d 78';
    session.send(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    await recorder.events.seen((event) => event === 'a 6 x');
    expect(seen).toMatchObject([{ meta: '{}', timeMs: 1_000, ephemeral: false, keyed: undefined }]);
  });

  test.each<[string, PublishOptions, Partial<native.Publication>]>([
    ['an object', { meta: { uid: 'ann' } }, { meta: '{"uid":"ann"}' }],
    ['the text of an object', { meta: '{"uid": "ann"}' }, { meta: '{"uid": "ann"}' }],
    ['a key', { keyed: { key: 'k', lifeMs: 5 } }, { keyed: { key: 'k', lifeMs: 5 } }],
    ['a key that does not expire', KEYED, { keyed: { key: 'k', lifeMs: 0 } }],
    ['no offset', EPHEMERAL, { ephemeral: true, messageId: '' }],
  ])('are published with %s', async (_name, options, expected) => {
    const [client, session] = await fixture.open();
    const position = client.publish('c', encodeText('x'), options);
    expect(await session.takePublish(4)).toMatchObject({ channel: 'c', kind: 'bytes', ...expected });
    expect((await position).offset).toBe(4);
  });
});
