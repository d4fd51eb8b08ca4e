import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { native, ProtocolError } from '@groupcast/protocol';
import { killAll, REPOSITORY, startProcess } from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { HubClient } from '../src/hub-client.ts';
import type { HubClientState } from '../src/hub-client-events.ts';
import { delivery, FakeHub } from '../testing/fake-hub.ts';
import { nextState, Recorder, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();
afterEach(killAll);

/** Makes one round trip, so that everything sent before it has arrived. */
async function oneRoundTrip(): Promise<void> {
  const client = fixture.client({ name: 'round trip' });
  const states = statesOf(client);
  client.connect();
  for (;;) {
    const session = await fixture.hub.accept();
    const hello = await session.received.next().catch(() => undefined);
    if (hello?.type !== 'hello' || hello.name !== 'round trip') continue;
    session.welcome();
    break;
  }
  await nextState(states, 'open');
  client.close();
}

describe('state', () => {
  test('changes in order, and waiting has the reason', async () => {
    const client = fixture.client();
    const states = statesOf(client);
    expect(client.state).toBe('idle');
    client.connect();
    client.connect();
    const session = await fixture.hub.welcome();
    await nextState(states, 'open');
    session.raw.end();
    await nextState(states, 'waiting');
    await fixture.hub.welcome();
    await nextState(states, 'open');
    client.close();
    client.close();
    expect(states.all.map(({ state }) => state)).toEqual([
      'connecting',
      'authenticating',
      'open',
      'waiting',
      'connecting',
      'authenticating',
      'open',
      'closed',
    ]);
    const errors = states.all.filter(({ error }) => error !== undefined);
    expect(errors.map(({ state, error }) => [state, error?.message])).toEqual([
      ['waiting', `The hub at 127.0.0.1:${fixture.hub.port} closed the connection.`],
    ]);
    expect(fixture.hub.sessions.all).toHaveLength(2);
    expect(client.stats().reconnects).toBe(1);
  });

  test('waits and retries while nothing listens, and finds a hub that starts', async () => {
    const { port } = fixture.hub;
    await fixture.hub.close();
    const client = fixture.client({ port });
    const states = statesOf(client);
    client.connect();
    for (let attempts = 0; attempts < 3; attempts++) {
      const { error } = await nextState(states, 'waiting');
      expect(error).toMatchObject({ code: 'hub_unavailable', cause: { code: 'ECONNREFUSED' } });
      expect(error?.message).toContain(`127.0.0.1:${port} cannot be reached`);
    }
    await (await fixture.restart()).welcome();
    await nextState(states, 'open');
  });

  test('has the error that the hub sent before it closed', async () => {
    const client = fixture.client();
    const states = statesOf(client);
    client.connect();
    const session = await fixture.hub.welcome();
    session.send(native.encodeError({ request: 0, code: 'bad_frame', message: 'Unknown opcode 7.' }));
    session.raw.end();
    const { error } = await nextState(states, 'waiting');
    expect(error).toMatchObject({ code: 'bad_frame' });
    expect(error?.message).toContain('Unknown opcode 7.');
  });

  test.each([
    ['bytes that are no frame', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['an unknown opcode', Buffer.of(0, 0, 0, 5, 0x1f)],
    ['what only peers send', native.encodeUnsubscribe([{ name: 'a', prefix: false }])],
    ['a second welcome', native.encodeWelcome({ version: 1, heartbeatMs: 5_000, frameBytesMax: 1_000 })],
    ['a delivery that was cut short', delivery('a', 1, '').fill(255, 7, 9)],
  ])('after %s the client reconnects', async (_name, bytes) => {
    const client = fixture.client();
    const states = statesOf(client);
    client.connect();
    const session = await fixture.hub.welcome();
    await nextState(states, 'open');
    session.send(bytes);
    const { error } = await nextState(states, 'waiting');
    expect(error?.message).toContain('sent invalid data');
    expect(error?.cause).toBeInstanceOf(ProtocolError);
    await fixture.hub.welcome();
    await nextState(states, 'open');
  });
});

test('an impostor gets no subscription and no publish, on any attempt', async () => {
  const client = fixture.client({ secret: 'a shared secret of some length' });
  const states = statesOf(client);
  client.subscribe('group:private', new Recorder());
  client.publishWithAnswer('group:private', 'private', {}, undefined);
  client.connect();
  for (let attempts = 0; attempts < 3; attempts++) {
    const session = await fixture.hub.welcome();
    expect((await nextState(states, 'waiting')).error?.code).toBe('unauthorized');
    await session.raw.closed;
    expect(session.received.all.map(({ type }) => type)).toEqual(['hello']);
    expect(session.raw.received.includes('private')).toBe(false);
  }
});

describe('close', () => {
  test('before connect', async () => {
    const client = fixture.client();
    const states = statesOf(client);
    const publish = client.publish('c', 'x');
    client.close();
    await expect(publish).rejects.toMatchObject({ code: 'hub_unavailable' });
    client.connect();
    await oneRoundTrip();
    expect(states.all.map(({ state }) => state)).toEqual(['closed']);
    expect(fixture.hub.sessions.all).toHaveLength(1);
  });

  test.each([0, 1, 2, 3, 4])('%i turns after connect: nothing happens any more', async (turns) => {
    const client = fixture.client();
    const states = statesOf(client);
    client.connect();
    for (let left = turns; left > 0; left--) await turn();
    client.close();
    await oneRoundTrip();
    expect(states.all.at(-1)?.state).toBe('closed');
    expect(states.all.filter(({ state }) => state === 'closed')).toHaveLength(1);
  });

  test('in the handshake', async () => {
    const client = fixture.client();
    const states = statesOf(client);
    client.connect();
    const session = await fixture.hub.accept();
    await session.expect('hello');
    client.close();
    session.welcome();
    await session.raw.closed;
    expect(states.all.map(({ state }) => state)).toEqual(['connecting', 'authenticating', 'closed']);
    expect(session.received.rest).toEqual([]);
  });

  test('while open sends the buffer, and fails pending publishes', async () => {
    const client = fixture.client();
    const states = statesOf(client);
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    client.connect();
    const session = await fixture.hub.welcome();
    await session.takeSubscribe();
    await recorder.events.next();
    await nextState(states, 'open');
    const publish = client.publish('a', 'last words');
    client.close();
    await expect(publish).rejects.toMatchObject({ code: 'outcome_unknown' });
    await session.expect('publish');
    expect(await session.raw.closed).toEqual({ ended: true, error: undefined });
    expect(states.all.at(-1)?.state).toBe('closed');
    expect(client.stats()).toMatchObject({ unanswered: 0, bufferedBytes: 0 });
    client.subscribe('a', recorder);
    expect(recorder.events.rest).toEqual([]);
  });

  test('while waiting', async () => {
    const client = fixture.client({ reconnect: { minMs: 1_000_000, maxMs: 1_000_000 } });
    const states = statesOf(client);
    client.connect();
    (await fixture.hub.accept()).raw.reset();
    await nextState(states, 'waiting');
    const publish = client.publish('c', 'x');
    client.close();
    await expect(publish).rejects.toMatchObject({ code: 'hub_unavailable' });
    expect(states.all.at(-1)?.state).toBe('closed');
  });

  test.each(['connecting', 'authenticating', 'open', 'waiting'] as const)(
    'by a listener that hears of %s',
    async (when) => {
      const client = fixture.client();
      const states = statesOf(client);
      client.on('state', (state: HubClientState) => {
        if (state === when) client.close();
      });
      client.connect();
      if (when !== 'connecting') {
        const session = await fixture.hub.accept();
        if (when !== 'authenticating') {
          await session.expect('hello');
          session.welcome();
        }
        if (when === 'waiting') session.raw.end();
        await session.raw.closed;
      }
      await states.seen(({ state }) => state === 'closed');
      await oneRoundTrip();
      expect(states.all.at(-1)?.state).toBe('closed');
    },
  );
});

describe('a process ends by itself after it closed its client', () => {
  const source = fileURLToPath(new URL('../src/index.ts', import.meta.url));
  const start = (port: number, then: string) =>
    startProcess(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import { HubClient } from ${JSON.stringify(source)};
         const client = new HubClient({ port: ${port} });
         client.on('state', (state) => console.log(state));
         client.subscribe('a', { deliver() {} });
         client.publish('a', 'x').catch(() => {});
         client.connect();
         ${then}`,
      ],
      { cwd: REPOSITORY },
    );

  test('at once', async () => {
    const child = start(fixture.hub.port, 'client.close();');
    expect(await child.finished).toEqual({ code: 0, signal: null });
    expect(child.stdout).toBe('connecting\nclosed\n');
  });

  test('when it was open', async () => {
    const child = start(fixture.hub.port, `client.on('state', (s) => s === 'open' && client.close());`);
    await fixture.hub.welcome();
    expect(await child.finished).toEqual({ code: 0, signal: null });
    expect(child.stdout).toBe('connecting\nauthenticating\nopen\nclosed\n');
  });

  test('without a hub', async () => {
    const gone = await FakeHub.start();
    await gone.close();
    const child = start(gone.port, `client.on('state', (s) => s === 'waiting' && client.close());`);
    expect(await child.finished).toEqual({ code: 0, signal: null });
    expect(child.stdout).toBe('connecting\nwaiting\nclosed\n');
  });
});

test('a name above the limit of the wire is rejected by the constructor', () => {
  expect(() => new HubClient({ name: 'é'.repeat(128) })).toThrow('255 bytes');
  expect(new HubClient({ name: 'x'.repeat(255) }).state).toBe('idle');
});
