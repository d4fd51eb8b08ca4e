import { describe, expect, test, vi } from 'vitest';
import { GroupcastClient, type TokenRequest } from '../src/index.ts';
import { FakeNetwork } from '../testing/fake-socket.ts';
import { outcomeOf, reconnect, settled, startClient } from '../testing/start-client.ts';

const V1 = ['groupcast.v1.at', 'groupcast.v1'];
const AT_5 = { epoch: 'e', offset: 5 };
const DAY_MS = 86_400_000;

/** A `getToken` that the test answers, call by call. */
function tokenSource() {
  const reasons: string[] = [];
  const calls: { resolve(token: string): void; reject(error: Error): void }[] = [];
  const getToken = ({ reason }: TokenRequest): Promise<string> => {
    reasons.push(reason);
    return new Promise((resolve, reject) => calls.push({ resolve, reject }));
  };
  /** Answers the oldest open call. */
  const answer = async (token: string | Error): Promise<void> => {
    await settled();
    const call = calls.shift();
    if (!call) throw new Error('getToken was not called.');
    if (typeof token === 'string') call.resolve(token);
    else call.reject(token);
    await settled();
  };
  return { reasons, calls, getToken, answer };
}

/** Starts a client with `getToken`, whose first token is `t1`. */
async function startWithSource(expiresInMs?: number) {
  const source = tokenSource();
  const started = startClient({ getToken: source.getToken });
  await source.answer('t1');
  started.network.socket.welcome({ token_expires_in_ms: expiresInMs });
  return { ...started, ...source };
}

/** Returns the token that the newest connection has offered. */
function offered(network: FakeNetwork): string | undefined {
  return network.socket.protocols
    .find((protocol) => protocol.startsWith('groupcast.token.'))
    ?.slice('groupcast.token.'.length);
}

/** Advances the time in the steps of a machine that is awake. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

describe('a token', () => {
  test('is offered beside groupcast.v1, at each connection, and behind the session', () => {
    const { network } = startClient({ token: 'a.b-c_d' });
    expect(network.socket.protocols).toEqual([...V1, 'groupcast.token.a.b-c_d']);
    network.socket.welcome();
    reconnect(network);
    expect(network.socket.protocols.slice(3)).toEqual(['groupcast.token.a.b-c_d']);
  });

  test.each([
    ['no text', 5],
    ['empty', ''],
    ['with a space', 'a b'],
    ['with a comma', 'a,b'],
    ['with a line break', 'a\r\nb'],
    ['with a letter beyond ASCII', 'ä'],
    ['of 4,097 bytes', 'a'.repeat(4_097)],
    ['null', null],
  ])('that is invalid is rejected, and not part of the error: %s', (_what, token) => {
    const { WebSocket } = new FakeNetwork();
    const options = { WebSocket, token } as never;
    expect(() => new GroupcastClient('ws://gateway.test', options)).toThrowError(
      expect.objectContaining({ code: 'bad_option', message: expect.not.stringContaining('a b') }),
    );
  });

  test('of 4,096 bytes is valid', () => {
    const token = 'a'.repeat(4_096);
    expect(offered(startClient({ token }).network)).toBe(token);
  });

  test('that has expired ends a client without getToken, with an error and without a loop', () => {
    const { client, network, states } = startClient({ token: 't1' });
    network.socket.welcome({ token_expires_in_ms: 60_000 });
    network.socket.end(4010);
    expect(client).toMatchObject({ state: 'closed', error: { code: 'token_expired', closeCode: 4010 } });
    expect(states).toEqual(['open', 'closed']);
    expect(network.sockets).toHaveLength(1);
  });

  test.each([4009, 4011, 4501, 4509, 4510, 4511, 4512])('without getToken: close code %i', (code) => {
    const { client, network } = startClient({ token: 't1' });
    network.socket.end(code);
    const state = code === 4009 ? 'waiting' : 'closed';
    expect(client).toMatchObject({ state, error: { code: 'disconnected', closeCode: code } });
  });
});

describe('getToken', () => {
  test('comes before the first connection: no connection is anonymous', async () => {
    const { getToken, reasons, answer } = tokenSource();
    const { client, network } = startClient({ getToken });
    expect(client.state).toBe('connecting');
    expect(network.sockets).toHaveLength(0);
    await answer('t1');
    expect(reasons).toEqual(['connect']);
    expect(network.socket.protocols).toEqual([...V1, 'groupcast.token.t1']);
  });

  test('can return the token itself, and use the client', async () => {
    const seen: string[] = [];
    const { client, network } = startClient({
      getToken: () => {
        seen.push(client.state);
        return 't1';
      },
    });
    await settled();
    expect([seen, offered(network)]).toEqual([['connecting'], 't1']);
  });

  test('is not called while the option token is good', async () => {
    const { getToken, reasons, answer } = tokenSource();
    const { network } = startClient({ token: 't0', getToken });
    expect(offered(network)).toBe('t0');
    network.socket.welcome();
    reconnect(network);
    const stop = keepAlive(network);
    await pass(600_000);
    stop();
    expect(reasons).toEqual([]);
    network.socket.end(4010);
    vi.advanceTimersToNextTimer();
    await answer('t1');
    expect([reasons, offered(network)]).toEqual([['expired'], 't1']);
  });

  test('that is no function is rejected', () => {
    const { WebSocket } = new FakeNetwork();
    expect(() => new GroupcastClient('ws://x', { WebSocket, getToken: 't' } as never)).toThrowError(
      expect.objectContaining({ code: 'bad_option' }),
    );
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('offline'))],
    [
      'throws',
      () => {
        throw new Error('offline');
      },
    ],
    ['returns no text', () => undefined as never],
    ['returns an empty text', () => ''],
    ['returns what no subprotocol may have', () => 'a b'],
  ])('is called again after a wait when it %s, and nothing connects meanwhile', async (_how, fail) => {
    let calls = 0;
    let isFailing = true;
    const { client, network, errors } = startClient({
      getToken: () => {
        calls += 1;
        return isFailing ? fail() : 't1';
      },
    });
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    await settled();
    expect(client).toMatchObject({
      state: 'waiting',
      error: { code: 'token_failed', cause: expect.anything() },
    });
    for (let attempt = 0; attempt < 8; attempt += 1) await pass(20_000);
    // 0.5 s, 1 s and so on up to 20 s.
    expect(calls).toBeLessThan(16);
    expect(errors.every(({ code }) => code === 'token_failed')).toBe(true);
    expect(network.sockets).toHaveLength(0);
    isFailing = false;
    await pass(20_000);
    network.socket.welcome();
    expect(client.state).toBe('open');
  });

  test('that never returns is given up after connectTimeoutMs, and its late token is dropped', async () => {
    const { getToken, calls, reasons, answer } = tokenSource();
    const { client, network } = startClient({ getToken, connectTimeoutMs: 1_000 });
    await settled();
    const [late] = calls.splice(0);
    vi.advanceTimersByTime(1_000);
    expect(client).toMatchObject({ state: 'waiting', error: { code: 'token_failed' } });
    late?.resolve('late');
    await settled();
    expect(network.sockets).toHaveLength(0);
    vi.advanceTimersToNextTimer();
    await answer('t2');
    expect([reasons, offered(network)]).toEqual([['connect', 'connect'], 't2']);
  });

  test.each(['close', 'suspend'] as const)('that returns after %s() connects nothing', async (how) => {
    const { getToken, answer, reasons } = tokenSource();
    const { client, network } = startClient({ getToken });
    await settled();
    client[how]();
    await answer('t1');
    expect(network.sockets).toHaveLength(0);
    if (how === 'close') return;
    client.resume();
    expect([reasons, offered(network)]).toEqual([['connect'], 't1']);
  });

  test('is under way once, however often the client is told to connect', async () => {
    const { getToken, answer, reasons } = tokenSource();
    const { client, network } = startClient({ getToken });
    await settled();
    for (let count = 0; count < 3; count += 1) client.reconnect();
    client.suspend();
    client.resume();
    await answer('t1');
    expect(reasons).toEqual(['connect']);
    expect(network.sockets).toHaveLength(1);
  });

  test('an invalid URL ends the client, because the constructor has returned', async () => {
    const { WebSocket } = new FakeNetwork(() => {
      throw new SyntaxError('no URL');
    });
    const { client } = startClient({ WebSocket, getToken: () => 't1' });
    await settled();
    expect(client).toMatchObject({ state: 'closed', error: { code: 'bad_url' } });
  });
});

describe('joins and messages wait for the welcome', () => {
  test('and are sent once it is there', async () => {
    const { getToken, answer } = tokenSource();
    const { client, network } = startClient({ getToken });
    outcomeOf(client.group('g').join());
    outcomeOf(client.group('g').send('hi'));
    await answer('t1');
    expect(network.socket.sent).toEqual([]);
    network.socket.welcome();
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual(['add_group', 'send_to_group']);
  });
});

describe('a refresh', () => {
  test.each([
    [0, 80_000],
    [0.999, 89_990],
  ])('with a random number of %d begins %i ms into a life of 100,000 ms', async (random, atMs) => {
    const { network, reasons, answer } = await startWithSource();
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const stop = keepAlive(network);
    reconnect(network, { token_expires_in_ms: 100_000 });
    await pass(atMs - 1);
    expect(reasons).toEqual(['connect']);
    await pass(1);
    expect(reasons).toEqual(['connect', 'refresh']);
    await answer('t2');
    expect(network.socket.sentOf('refresh')).toEqual([{ cmd: 'refresh', token: 't2', id: 'refresh' }]);
    acknowledge(network, 100_000);
    await pass(atMs - 1);
    expect(reasons).toHaveLength(2);
    await pass(1);
    expect(reasons).toEqual(['connect', 'refresh', 'refresh']);
    stop();
    expect(network.sockets).toHaveLength(2);
  });

  test('of a token beyond 2^31 ms is not early', async () => {
    const { network, reasons } = await startWithSource();
    const hourMs = DAY_MS / 24;
    const heartbeat = { interval_ms: hourMs, timeout_ms: hourMs };
    reconnect(network, { heartbeat, token_expires_in_ms: 30 * DAY_MS });
    const stop = keepAlive(network, hourMs / 2);
    vi.advanceTimersByTime(30 * DAY_MS * 0.79);
    await settled();
    expect(reasons).toEqual(['connect']);
    vi.advanceTimersByTime(30 * DAY_MS * 0.11);
    await settled();
    expect(reasons[1]).toBe('refresh');
    stop();
  });

  test.each([undefined, Number.NaN, 'soon', null])('does not happen when the life is %o', async (life) => {
    const { network, reasons } = await startWithSource(life as never);
    const stop = keepAlive(network);
    await pass(600_000);
    stop();
    expect(reasons).toEqual(['connect']);
  });

  test.each([0, -5, 1])('of a token with %i ms left comes once a second, not in a loop', async (leftMs) => {
    const { network, reasons, answer } = await startWithSource(leftMs);
    for (let second = 0; second < 5; second += 1) {
      await pass(1_000);
      expect(reasons).toHaveLength(second + 2);
      await answer('t1');
      acknowledge(network, leftMs);
    }
  });

  test('keeps the connection, and the new token is used for every later connection', async () => {
    const { network, answer, reasons } = await startWithSource(100_000);
    const stop = keepAlive(network);
    await pass(90_000);
    stop();
    await answer('t2');
    acknowledge(network, 3_600_000);
    expect(network.sockets).toHaveLength(1);
    for (let count = 0; count < 3; count += 1) {
      reconnect(network, { token_expires_in_ms: 3_600_000 });
      expect(offered(network)).toBe('t2');
    }
    expect(reasons).toEqual(['connect', 'refresh']);
  });

  test('that fails is repeated with backoff, emits token_failed, and keeps the connection', async () => {
    const { client, network, answer, reasons, errors } = await startWithSource(100_000);
    const stop = keepAlive(network);
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    await pass(90_000);
    for (const waitMs of [500, 1_000, 2_000, 4_000]) {
      await answer(new Error('offline'));
      expect(errors.at(-1)).toMatchObject({ code: 'token_failed', cause: { message: 'offline' } });
      const count = reasons.length;
      await pass(waitMs * 0.9);
      expect(reasons).toHaveLength(count);
      await pass(waitMs * 0.1);
      expect(reasons).toHaveLength(count + 1);
    }
    await answer('t2');
    expect(network.socket.sentOf('refresh')).toHaveLength(1);
    stop();
    expect([client.state, network.sockets.length]).toEqual(['open', 1]);
  });

  test.each(['forbidden', 'unauthorized'])(
    'that the gateway rejects with %s is told, repeated, and does not lead to that token again',
    async (code) => {
      const { client, network, answer, reasons, errors } = await startWithSource(100_000);
      const stop = keepAlive(network);
      await pass(90_000);
      await answer('other');
      network.socket.receive({ type: 'error', id: 'refresh', code, message: 'No.' });
      expect(errors.at(-1)).toMatchObject({ code });
      expect(client.state).toBe('open');
      await pass(500);
      await answer('another');
      network.socket.receive({ type: 'error', id: 'refresh', code, message: 'No.' });
      network.socket.end(1006);
      stop();
      vi.advanceTimersToNextTimer();
      await answer('t3');
      expect(reasons).toEqual(['connect', 'refresh', 'rejected', 'rejected']);
      expect(offered(network)).toBe('t3');
    },
  );

  test('without an answer is repeated', async () => {
    const { network, answer, reasons } = await startWithSource(100_000);
    const stop = keepAlive(network);
    await pass(90_000);
    await answer('t2');
    await pass(15_000);
    expect(reasons).toEqual(['connect', 'refresh', 'refresh']);
    stop();
  });

  test('is not sent without getToken', async () => {
    const { network } = startClient({ token: 't1' });
    network.socket.welcome({ token_expires_in_ms: 100_000 });
    const stop = keepAlive(network);
    await pass(100_000);
    stop();
    expect(network.socket.sentOf('refresh')).toEqual([]);
  });
});

describe('races', () => {
  test('a token that arrives after its connection has ended is not sent on the next one', async () => {
    const { network, answer, reasons } = await startWithSource(100_000);
    const stop = keepAlive(network);
    await pass(90_000);
    expect(reasons).toEqual(['connect', 'refresh']);
    reconnect(network, { token_expires_in_ms: 10_000 });
    expect(offered(network)).toBe('t1');
    await answer('t2');
    expect(network.socket.sent).toEqual([]);
    reconnect(network);
    stop();
    expect(offered(network)).toBe('t2');
  });

  test('a refresh of the next connection waits for the call that is under way', async () => {
    const { network, answer, reasons } = await startWithSource(100_000);
    const stop = keepAlive(network);
    await pass(90_000);
    reconnect(network, { token_expires_in_ms: 5_000 });
    await pass(5_000);
    expect(reasons).toEqual(['connect', 'refresh']);
    await answer('t2');
    stop();
    expect(network.socket.sentOf('refresh')).toMatchObject([{ token: 't2' }]);
  });

  test('the ack of a refresh on an old connection has no effect', async () => {
    const { network, answer, reasons } = await startWithSource(100_000);
    const stop = keepAlive(network);
    await pass(90_000);
    await answer('t2');
    const old = network.socket;
    reconnect(network, { token_expires_in_ms: 3_600_000 });
    old.receive({ type: 'ack', id: 'refresh', token_expires_in_ms: 10 });
    await pass(30_000);
    stop();
    expect(reasons).toEqual(['connect', 'refresh']);
  });

  test('a computer that slept past the expiry comes back with one getToken, and misses nothing', async () => {
    const { client, network, answer, reasons } = await startWithSource(100_000);
    const group = client.group('g');
    outcomeOf(group.join());
    network.socket.ack(AT_5);
    const heard: unknown[] = [];
    group.on('message', ({ offset }) => heard.push(offset));
    group.on('gap', () => heard.push('gap'));
    // Asleep: no timer runs, and the time passes.
    vi.setSystemTime(Date.now() + DAY_MS);
    // Awake: the gateway has closed long ago, and several events of the page ask for a connection.
    network.socket.end(4010);
    client.reconnect();
    client.reconnect();
    await pass(500);
    client.reconnect();
    await answer('t2');
    expect([reasons, offered(network)]).toEqual([['connect', 'expired'], 't2']);
    network.socket.welcome({ token_expires_in_ms: 100_000 });
    expect(network.socket.sent).toMatchObject([{ cmd: 'add_group', group_id: 'g', since: AT_5 }]);
    network.socket.ack({ epoch: 'e', offset: 7, recovered: true });
    for (const offset of [6, 7]) {
      network.socket.receive({ type: 'message', group_id: 'g', offset, message: '' });
    }
    expect(heard).toEqual([6, 7]);
    expect(reasons).toHaveLength(2);
  });

  test('a computer that wakes before it sees the end refreshes, and uses that token', async () => {
    const { network, answer, reasons } = await startWithSource(100_000);
    vi.setSystemTime(Date.now() + DAY_MS);
    // The timer of the refresh looks at the clock.
    await pass(1);
    for (let step = 0; step < 60 && reasons.length < 2; step += 1) {
      network.socket.receive({ type: 'ping' });
      await pass(1_000);
    }
    network.socket.end(4010);
    vi.advanceTimersToNextTimer();
    await answer('t2');
    expect([reasons, offered(network)]).toEqual([['connect', 'refresh'], 't2']);
  });

  test('a token that has expired is not offered again', async () => {
    const { network, answer, reasons } = await startWithSource(10_000);
    network.socket.end(1006);
    vi.setSystemTime(Date.now() + DAY_MS);
    vi.advanceTimersToNextTimer();
    expect(network.sockets).toHaveLength(1);
    await answer('t2');
    expect([reasons, offered(network)]).toEqual([['connect', 'expired'], 't2']);
  });
});

describe('a token that the gateway rejects', () => {
  test.each([4010, 4011])('with %i is replaced, again and again, with backoff', async (code) => {
    const { client, network, answer, reasons } = await startWithSource();
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    let waitedMs = 0;
    client.on('state', ({ waitMs = 0 }) => {
      waitedMs += waitMs;
    });
    for (let attempt = 1; attempt < 8; attempt += 1) {
      network.socket.end(code);
      vi.advanceTimersToNextTimer();
      await answer(`t${attempt}`);
      expect(reasons.at(-1)).toBe('expired');
      expect(offered(network)).toBe(`t${attempt}`);
    }
    expect(waitedMs).toBeGreaterThan(50_000);
  });

  test('with 4501 is replaced once, then the client ends', async () => {
    const { client, network, answer, reasons } = await startWithSource();
    network.socket.end(4501);
    vi.advanceTimersToNextTimer();
    await answer('t2');
    expect([reasons, offered(network)]).toEqual([['connect', 'rejected'], 't2']);
    network.socket.end(4501);
    expect(client).toMatchObject({ state: 'closed', error: { code: 'disconnected', closeCode: 4501 } });
  });

  test('with 4501 is replaced once more after the gateway has accepted one', async () => {
    const { client, network, answer } = await startWithSource();
    for (let round = 2; round < 5; round += 1) {
      network.socket.end(4501);
      vi.advanceTimersToNextTimer();
      await answer(`t${round}`);
      network.socket.welcome();
      expect(client.state).toBe('open');
    }
  });

  test('with 4501 in the event disconnect, which says not to reconnect, is replaced, too', async () => {
    const { client, network } = await startWithSource();
    network.socket.receive({ type: 'disconnect', code: 4501, reason: 'No.', reconnect: false });
    expect(client.state).toBe('waiting');
  });

  test.each([4509, 4510, 4511, 4512])('with %i ends the client, getToken or not', async (code) => {
    const { client, network, reasons } = await startWithSource();
    network.socket.end(code);
    expect(client).toMatchObject({ state: 'closed', error: { closeCode: code } });
    await pass(60_000);
    expect(reasons).toEqual(['connect']);
  });
});

/** Keeps a connection alive, as a gateway does. Returns a function that stops. */
function keepAlive(network: FakeNetwork, everyMs = 30_000): () => void {
  const timer = setInterval(() => network.socket.receive({ type: 'ping' }), everyMs);
  return () => clearInterval(timer);
}

function acknowledge(network: FakeNetwork, expiresInMs: number): void {
  network.socket.receive({ type: 'ack', id: 'refresh', token_expires_in_ms: expiresInMs });
}
