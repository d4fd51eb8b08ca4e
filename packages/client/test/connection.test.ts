import { describe, expect, test, vi } from 'vitest';
import { GroupcastClient } from '../src/index.ts';
import { FakeNetwork, SESSION } from '../testing/fake-socket.ts';
import { outcomeOf, reconnect, settled, startClient, startConnected } from '../testing/start-client.ts';

function thrownBy(make: () => unknown): unknown {
  try {
    make();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('construction', () => {
  test('dials at once, with the subprotocols', () => {
    const { client, network } = startClient();
    expect(client.state).toBe('connecting');
    expect(network.sockets).toHaveLength(1);
    expect(network.socket).toMatchObject({
      url: 'wss://gateway.test',
      protocols: ['groupcast.v1.at', 'groupcast.v1'],
    });
  });

  test('throws no_websocket without a global WebSocket', () => {
    vi.stubGlobal('WebSocket', undefined);
    const error = thrownBy(() => new GroupcastClient('ws://gateway.test'));
    vi.unstubAllGlobals();
    expect(error).toMatchObject({ code: 'no_websocket', message: expect.stringContaining('ws') });
  });

  test("throws bad_url for an invalid URL, with the WebSocket's error as the cause", () => {
    startClient().client.close();
    const cause = new SyntaxError('no URL');
    const { WebSocket } = new FakeNetwork(() => {
      throw cause;
    });
    const error = thrownBy(() => new GroupcastClient('x', { WebSocket }));
    expect(error).toMatchObject({ code: 'bad_url', cause });
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([1, 3])(
    'an exception of the WebSocket constructor at attempt %i fails the attempt',
    (failing) => {
      const cause = new Error('Too many sockets.');
      const network = new FakeNetwork(() => {
        if (network.sockets.length === failing) throw cause;
      });
      const { client } = startClient({ WebSocket: network.WebSocket });
      while (network.sockets.length < failing) {
        network.socket.end(1006);
        vi.advanceTimersToNextTimer();
      }
      expect(client).toMatchObject({ state: 'waiting', error: { code: 'disconnected', cause } });
      vi.advanceTimersToNextTimer();
      expect(network.sockets).toHaveLength(failing + 1);
      network.socket.welcome();
      expect(client.state).toBe('open');
    },
  );

  test.each([
    { sendTimeoutMs: 100_001 },
    { reconnectMinMs: 0 },
    { bufferMax: -1 },
    { connectTimeoutMs: 2 ** 31 },
    { answerTimeoutMs: Number.NaN },
    { sendTimeoutMs: Number.POSITIVE_INFINITY },
    { sendQueueMax: null },
    { sendQueueBytesMax: '1000' },
    { bufferMax: 1.5 },
    { reconnectMaxMs: [500] },
    { WebSocket: null },
    { WebSocket: 'ws' },
  ])('rejects the options %o', (options) => {
    const WebSocket = class {} as never;
    const error = thrownBy(
      () => new GroupcastClient('ws://gateway.test', { WebSocket, ...options } as never),
    );
    expect(error).toMatchObject({
      code: 'bad_option',
      message: expect.stringContaining(Object.keys(options)[0]!),
    });
  });
});

test.each([null, 5, 'ws'])('rejects options that are not an object: %o', (options) => {
  expect(thrownBy(() => new GroupcastClient('ws://gateway.test', options as never))).toMatchObject({
    code: 'bad_option',
  });
});

test('an option that is undefined has its default', () => {
  const { client, network } = startClient({ connectTimeoutMs: undefined, bufferMax: undefined } as never);
  vi.advanceTimersByTime(14_999);
  expect(client.state).toBe('connecting');
  vi.advanceTimersByTime(1);
  expect(client.state).toBe('waiting');
  expect(network.socket.closedWith).toBe(4002);
});

describe('a new connection', () => {
  test('is open with the welcome, and has its client id', () => {
    const { client, network, states } = startClient();
    expect(client.clientId).toBeUndefined();
    network.socket.welcome({ client_id: 'c1' });
    expect(client).toMatchObject({ state: 'open', clientId: 'c1', error: undefined });
    expect(states).toEqual(['open']);
  });

  test('is retried without a welcome in time', () => {
    const { client, network } = startClient({ connectTimeoutMs: 3_000 });
    vi.advanceTimersByTime(2_999);
    expect(client.state).toBe('connecting');
    vi.advanceTimersByTime(1);
    expect(client.state).toBe('waiting');
    expect(network.socket.closedWith).toBe(4002);
    vi.advanceTimersToNextTimer();
    expect(network.sockets).toHaveLength(2);
  });

  test('an error before the welcome ends the attempt: Node closes no connection that was refused', () => {
    const { client, network, states } = startClient();
    const cause = new Error('connect ECONNREFUSED');
    network.socket.fail({ message: 'Received network error.', error: cause });
    expect(client).toMatchObject({ state: 'waiting', error: { closeCode: 1006, cause } });
    expect(client.error?.message).toContain('Received network error.');
    network.socket.end(1006);
    expect(states).toEqual(['waiting']);
    vi.advanceTimersToNextTimer();
    expect(network.sockets).toHaveLength(2);
  });

  test('ignores an error on an open connection, because a close follows', () => {
    const { client, network } = startConnected();
    network.socket.fail();
    expect(client.state).toBe('open');
    network.socket.end(4500);
    expect(client.state).toBe('closed');
  });

  test('an exception of send ends the connection', async () => {
    const { client, network } = startConnected();
    const sent = outcomeOf(client.group('1').send('hi'));
    network.socket.ack({ epoch: 'e', offset: 1 });
    const cause = new Error('The socket is in a bad state.');
    network.socket.onCommand = () => {
      throw cause;
    };
    const again = outcomeOf(client.group('1').send('hi again'));
    await settled();
    expect(sent.value).toEqual({ epoch: 'e', offset: 1 });
    expect(client).toMatchObject({ state: 'waiting', error: { code: 'disconnected', cause } });
    reconnect(network);
    network.socket.ack({ epoch: 'e', offset: 2 });
    await settled();
    expect(again.value).toEqual({ epoch: 'e', offset: 2 });
  });

  test('an exception of close is ignored', () => {
    const { client, network, states } = startConnected();
    network.socket.close = () => {
      throw new Error('The socket is in a bad state.');
    };
    client.close();
    expect(states).toEqual(['open', 'closed']);
  });

  test('ignores events before the welcome', () => {
    const { client, network } = startClient();
    network.socket.receive({ type: 'ping' });
    network.socket.receive({ type: 'message', group_id: '1', offset: 1, message: '' });
    expect(network.socket.sent).toEqual([]);
    expect(client.state).toBe('connecting');
  });

  test('ignores the events of an abandoned socket', () => {
    const { client, network, states } = startClient();
    const first = network.socket;
    first.end(1006);
    first.welcome();
    first.end(1006);
    expect(client.state).toBe('waiting');
    expect(states).toEqual(['waiting']);
  });

  test('answers a heartbeat', () => {
    const { network } = startConnected();
    network.socket.receive({ type: 'ping' });
    expect(network.socket.sent).toEqual([{ cmd: 'ping' }]);
  });

  test('ignores the events of later gateways, and emits bad_event for invalid data', () => {
    const { client, network, errors } = startConnected();
    network.socket.receive({ type: 'weather' } as never);
    expect(errors).toEqual([]);
    for (const data of ['{', 'null', '5', '[]', new Uint8Array(3)]) network.socket.receiveData(data);
    expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('bad_event'));
    expect(client.state).toBe('open');
  });
});

describe('after a connection was lost', () => {
  test('the client waits a random part of a bound that doubles from 0.5 s to 20 s, and reports the wait', () => {
    const { client, network } = startClient();
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const waits: (number | undefined)[] = [];
    client.on('state', ({ waitMs }) => waitMs !== undefined && waits.push(waitMs));
    for (let attempt = 0; attempt < 8; attempt += 1) {
      network.socket.end(1006);
      vi.advanceTimersToNextTimer();
    }
    const bounds = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000];
    expect(waits).toEqual(bounds.map((bound) => bound * 0.999));
    expect(network.sockets).toHaveLength(9);
  });

  test('a connection that lasted resets the backoff, a short one does not', () => {
    const { client, network } = startClient();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const waits: (number | undefined)[] = [];
    client.on('state', ({ waitMs }) => waitMs !== undefined && waits.push(waitMs));
    for (const lastedMs of [1_000, 1_000, 20_000]) {
      network.socket.welcome();
      vi.advanceTimersByTime(lastedMs);
      network.socket.end(1006);
      vi.advanceTimersToNextTimer();
    }
    expect(waits).toEqual([250, 500, 250]);
  });

  test('the client reconnects with the same session', () => {
    const { client, network } = startConnected();
    reconnect(network);
    expect(network.socket.protocols).toEqual([
      'groupcast.v1.at',
      'groupcast.v1',
      `groupcast.session.${SESSION}`,
    ]);
    expect(client.state).toBe('open');
  });

  test.each([43, 64, 256])('a session of %i characters is offered as it is', (length) => {
    const { network } = startClient();
    network.socket.welcome({ session: 'S'.repeat(length) });
    network.socket.end(1006);
    vi.advanceTimersToNextTimer();
    expect(network.socket.protocols).toEqual([
      'groupcast.v1.at',
      'groupcast.v1',
      `groupcast.session.${'S'.repeat(length)}`,
    ]);
  });

  test.each([undefined, '', 'a b', `${SESSION}=`, `${SESSION},other`])(
    'a session that could not be offered is not: %j',
    (session) => {
      const { network } = startClient();
      network.socket.welcome({ session: session as never });
      network.socket.end(1006);
      vi.advanceTimersToNextTimer();
      expect(network.socket.protocols).toEqual(['groupcast.v1.at', 'groupcast.v1']);
    },
  );

  test('the client reconnects when the gateway asks for it, without waiting for the close', () => {
    const { client, network } = startConnected();
    const first = network.socket;
    first.receive({
      type: 'disconnect',
      code: 1012,
      reason: 'Restart.',
      reconnect: true,
      reconnect_after_ms: 3_000,
    });
    expect(client).toMatchObject({ state: 'waiting', error: { code: 'disconnected', closeCode: 1012 } });
    expect(first.closedWith).toBe(1000);
    first.end(1012);
    vi.advanceTimersByTime(2_999);
    expect(network.sockets).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(network.sockets).toHaveLength(2);
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    network.socket.end(1006);
    vi.advanceTimersByTime(500);
    expect(network.sockets).toHaveLength(3);
  });

  test('the backoff grows although the gateway asks for a short wait', () => {
    const { network } = startConnected();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const away = {
      type: 'disconnect',
      code: 1012,
      reason: '',
      reconnect: true,
      reconnect_after_ms: 0,
    } as const;
    network.socket.receive(away);
    vi.advanceTimersByTime(0);
    network.socket.welcome();
    network.socket.receive(away);
    vi.advanceTimersByTime(499);
    expect(network.sockets).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(network.sockets).toHaveLength(3);
  });

  test.each([-5, 1e300, 'soon'])('the client bounds or ignores reconnect_after_ms %j', (afterMs) => {
    const { client, network } = startConnected();
    const away = { type: 'disconnect', code: 1012, reason: '', reconnect: true };
    network.socket.receive({ ...away, reconnect_after_ms: afterMs } as never);
    expect(client.state).toBe('waiting');
    vi.advanceTimersByTime(3_600_000);
    expect(network.sockets.length).toBeGreaterThan(1);
  });

  test.each([1000, 1002, 1003, 1007, 1009, 4500, 4505])('a close with %d is final', (code) => {
    const { client, network, states } = startConnected();
    network.socket.end(code);
    expect(client).toMatchObject({ state: 'closed', error: { code: 'disconnected', closeCode: code } });
    expect(states).toEqual(['open', 'closed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a disconnect event with reconnect false is final, whatever its code', () => {
    const { client, network } = startConnected();
    network.socket.receive({ type: 'disconnect', code: 4001, reason: 'No.', reconnect: false });
    expect(client).toMatchObject({ state: 'closed', error: { closeCode: 4001 } });
  });
});

describe('a silent gateway', () => {
  test('is closed after interval and timeout, and not while it sends events', () => {
    const { client, network, states } = startConnected();
    vi.advanceTimersByTime(34_000);
    network.socket.receive({ type: 'ping' });
    vi.advanceTimersByTime(34_000);
    expect(client.state).toBe('open');
    vi.advanceTimersByTime(11_000);
    expect(states.slice(0, 2)).toEqual(['open', 'waiting']);
    expect(network.sockets[0]?.closedWith).toBe(4002);
  });

  test.each([undefined, {}, { interval_ms: 0, timeout_ms: -1 }, { interval_ms: 1e300, timeout_ms: 1 }])(
    'a heartbeat of %j is bounded',
    (heartbeat) => {
      const { client, network } = startClient();
      network.socket.welcome({ heartbeat: heartbeat as never });
      vi.advanceTimersByTime(99);
      expect(client.state).toBe('open');
      vi.advanceTimersByTime(5_000_000);
      expect(network.sockets.length).toBeGreaterThan(1);
    },
  );
});

describe('close', () => {
  test.each(['connecting', 'open', 'waiting'] as const)('closes for good when %s', (state) => {
    const { client, network, states } = startClient();
    if (state === 'open') network.socket.welcome();
    if (state === 'waiting') network.socket.end(1006);
    expect(client.state).toBe(state);
    client.close();
    client.close();
    expect(client).toMatchObject({ state: 'closed', error: { code: 'closed' } });
    expect(states.filter((name) => name === 'closed')).toHaveLength(1);
    expect(network.socket.closedWith).toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
    network.socket.end(1000);
    expect(states.at(-1)).toBe('closed');
  });

  test('terminates a connection that does not close within 2 s, if the WebSocket can', () => {
    for (const closes of [false, true]) {
      const { client, network } = startConnected();
      const terminate = vi.fn();
      Object.assign(network.socket, { terminate });
      client.close();
      if (closes) network.socket.end(1000);
      vi.advanceTimersByTime(2_000);
      expect(terminate).toHaveBeenCalledTimes(closes ? 0 : 1);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  test('from a listener, at any change of state', () => {
    for (const at of ['connecting', 'open', 'waiting']) {
      const { client, network } = startClient();
      client.on('state', ({ state }) => state === at && client.close());
      network.socket.welcome();
      network.socket.end(1006);
      vi.advanceTimersByTime(60_000);
      expect(client.state).toBe('closed');
      expect(vi.getTimerCount()).toBe(0);
    }
  });
});

test('an exception of a listener affects neither the client nor other listeners', () => {
  const { client, network } = startClient();
  const thrown: unknown[] = [];
  vi.stubGlobal('queueMicrotask', (run: () => void) => {
    try {
      run();
    } catch (error) {
      thrown.push(error);
    }
  });
  const heard: string[] = [];
  const offBad = client.on('state', () => {
    throw new Error('of the application');
  });
  const off = client.on('state', ({ state }) => heard.push(state));
  network.socket.welcome();
  off();
  network.socket.end(1006);
  offBad();
  vi.unstubAllGlobals();
  expect(heard).toEqual(['open']);
  expect(client.state).toBe('waiting');
  expect(thrown).toEqual([new Error('of the application'), new Error('of the application')]);
});
