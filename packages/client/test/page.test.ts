import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { outcomeOf, settled, startClient, startConnected } from '../testing/start-client.ts';

/** The document of a real page, which cannot be replaced. */
const real: { visibilityState: string } | undefined = Reflect.get(globalThis, 'document');

let page: EventTarget;
let listeners: number;

beforeEach(() => {
  page = new EventTarget();
  listeners = 0;
  vi.stubGlobal('addEventListener', (type: string, listener: (event: Event) => void) => {
    listeners += 1;
    page.addEventListener(type, listener);
  });
  vi.stubGlobal('removeEventListener', (type: string, listener: (event: Event) => void) => {
    listeners -= 1;
    page.removeEventListener(type, listener);
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function tell(type: string, fields: object = {}): void {
  page.dispatchEvent(Object.assign(new Event(type), fields));
}

function show(visibilityState: 'visible' | 'hidden'): void {
  if (real === undefined) vi.stubGlobal('document', { visibilityState });
  else vi.spyOn(real, 'visibilityState', 'get').mockReturnValue(visibilityState);
  tell('visibilitychange');
}

describe('a page that was offline', () => {
  test('connects at once when it is online, before a wait has ended', () => {
    const { client, network } = startConnected();
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    network.socket.end(1006);
    const untilMs = performance.now() + 100_000;
    while (performance.now() < untilMs) {
      vi.advanceTimersToNextTimer();
      if (client.state === 'connecting') network.socket.fail();
    }
    expect(client.state).toBe('waiting');
    const dialled = network.sockets.length;
    tell('online');
    expect(network.sockets).toHaveLength(dialled + 1);
    network.socket.welcome();
    expect(client.state).toBe('open');
  });

  test('resets the backoff then', () => {
    const { client, network } = startClient();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    for (let attempt = 0; attempt < 6; attempt += 1) {
      network.socket.end(1006);
      vi.advanceTimersToNextTimer();
    }
    network.socket.end(1006);
    tell('online');
    const waits: unknown[] = [];
    client.on('state', ({ waitMs }) => waits.push(waitMs));
    network.socket.end(1006);
    expect(waits).toEqual([250]);
  });

  test('drops an attempt that was made while it was offline', () => {
    const { network, states } = startClient();
    const first = network.socket;
    tell('online');
    expect(first.closedWith).toBe(1000);
    expect(network.sockets).toHaveLength(2);
    network.socket.welcome();
    first.end(1006);
    expect(states.at(-1)).toBe('open');
  });
});

describe('an open connection', () => {
  test.each(['online', 'offline'])('is checked with a ping at %s, and kept when it answers', (type) => {
    const { client, network } = startConnected();
    tell(type);
    tell(type);
    expect(network.socket.sentOf('ping')).toHaveLength(2);
    network.socket.ack();
    vi.advanceTimersByTime(10_000);
    expect(client.state).toBe('open');
    expect(network.sockets).toHaveLength(1);
  });

  test('is replaced without an answer within checkTimeoutMs', () => {
    const { client, network } = startConnected({ checkTimeoutMs: 700 });
    tell('online');
    vi.advanceTimersByTime(699);
    tell('offline');
    expect(client.state).toBe('open');
    vi.advanceTimersByTime(1);
    expect(client.state).toBe('waiting');
    expect(network.socket.closedWith).toBe(4002);
  });

  test('is checked when the page becomes visible, and not when it is hidden', () => {
    const { network } = startConnected();
    show('hidden');
    expect(network.socket.sent).toEqual([]);
    show('visible');
    expect(network.socket.sent).toEqual([{ cmd: 'ping', id: 0 }]);
  });
});

test('a page that becomes visible does not wait for the next attempt', () => {
  const { network } = startClient();
  network.socket.end(1006);
  show('hidden');
  expect(network.sockets).toHaveLength(1);
  show('visible');
  expect(network.sockets).toHaveLength(2);
});

test('a closed client has no listeners on the page', () => {
  const { client, network } = startClient();
  expect(listeners).toBe(5);
  client.close();
  expect(listeners).toBe(0);
  client.reconnect();
  client.suspend();
  client.resume();
  expect(client.state).toBe('closed');
  expect(network.sockets).toHaveLength(1);
});

describe('the back/forward cache', () => {
  test('a cached page has no connection and no timers; then its groups recover', async () => {
    const { client, network, states } = startConnected();
    const group = client.group('g');
    const joined = outcomeOf(group.join());
    network.socket.ack({ epoch: 'e', offset: 5 });
    await settled();
    expect(joined.value).toBeDefined();

    tell('pagehide', { persisted: true });
    expect(client.state).toBe('suspended');
    expect(network.socket.closedWith).toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
    tell('online');
    show('visible');
    expect(client.state).toBe('suspended');

    tell('pageshow', { persisted: true });
    expect(client.state).toBe('connecting');
    network.socket.welcome();
    expect(network.socket.sentOf('add_group')).toMatchObject([{ since: { epoch: 'e', offset: 5 } }]);
    expect(states).toEqual(['open', 'suspended', 'connecting', 'open']);
  });

  test('has no effect on a page that ends, or on a suspended client', () => {
    const { client } = startConnected();
    tell('pagehide', { persisted: false });
    expect(client.state).toBe('open');
    client.suspend();
    tell('pagehide', { persisted: true });
    tell('pageshow', { persisted: true });
    expect(client.state).toBe('suspended');
    client.resume();
    expect(client.state).toBe('connecting');
  });
});

describe('suspend and resume', () => {
  test.each(['connecting', 'open', 'waiting'] as const)('when %s', (state) => {
    const { client, network } = startClient();
    if (state === 'open') network.socket.welcome();
    if (state === 'waiting') network.socket.end(1006);
    client.resume();
    expect(client.state).toBe(state);
    client.suspend();
    client.suspend();
    expect(client.state).toBe('suspended');
    vi.advanceTimersByTime(1_000_000);
    expect(network.sockets).toHaveLength(1);
    client.resume();
    expect(network.sockets).toHaveLength(2);
    network.socket.welcome();
    expect(client.state).toBe('open');
  });

  test('a message that is sent meanwhile is sent afterwards', async () => {
    const { client, network } = startConnected();
    client.suspend();
    const sent = outcomeOf(client.group('g').send('hi'));
    client.resume();
    network.socket.welcome();
    network.socket.ack({ epoch: 'e', offset: 1 });
    await settled();
    expect(sent.value).toEqual({ epoch: 'e', offset: 1 });
  });

  test('from a listener, at any change of state', () => {
    for (const at of ['connecting', 'open', 'waiting']) {
      const { client, network } = startClient();
      client.on('state', ({ state }) => state === at && client.suspend());
      network.socket.welcome();
      network.socket.end(1006);
      vi.advanceTimersByTime(60_000);
      expect(client.state).toBe('suspended');
      expect(vi.getTimerCount()).toBe(0);
    }
  });
});

describe('reconnect', () => {
  test('replaces an open connection, with the same session', () => {
    const { client, network, states } = startConnected();
    const first = network.socket;
    client.reconnect();
    expect(first.closedWith).toBe(1000);
    vi.advanceTimersToNextTimer();
    expect(network.socket.protocols).toEqual([
      'groupcast.v1.at',
      'groupcast.v1',
      expect.stringContaining('groupcast.session.'),
    ]);
    network.socket.welcome();
    first.end(1000);
    expect(states).toEqual(['open', 'waiting', 'connecting', 'open']);
  });

  test('ends a wait and a suspension', () => {
    const { client, network } = startClient();
    network.socket.end(1006);
    client.reconnect();
    expect(network.sockets).toHaveLength(2);
    client.suspend();
    client.reconnect();
    expect(network.sockets).toHaveLength(3);
    expect(client.state).toBe('connecting');
    vi.advanceTimersByTime(9_999);
    expect(network.sockets).toHaveLength(3);
  });

  test('from a listener during an attempt leads to one connection', () => {
    const { client, network } = startClient();
    let calls = 0;
    client.on('state', ({ state }) => {
      if (state === 'connecting' && calls < 1) {
        calls += 1;
        client.reconnect();
      }
    });
    network.socket.end(1006);
    vi.advanceTimersToNextTimer();
    expect(network.sockets.filter(({ closedWith }) => closedWith === undefined)).toHaveLength(1);
  });
});

describe('a gateway that no attempt has reached', () => {
  test('is unreachable from the fifth attempt on, and is retried', () => {
    const { client, network, errors } = startClient();
    const codes: unknown[] = [];
    client.on('state', ({ state, error }) => state === 'waiting' && codes.push(error?.code));
    for (let attempt = 0; attempt < 6; attempt += 1) {
      network.socket.fail({ message: 'Unexpected server response: 403' });
      vi.advanceTimersToNextTimer();
    }
    expect(codes).toEqual([...Array(4).fill('disconnected'), 'unreachable', 'unreachable']);
    expect(errors.map(({ code }) => code)).toEqual(['unreachable', 'unreachable']);
    expect(errors[0]).toMatchObject({ closeCode: 1006, message: expect.stringContaining('origin') });
    expect(errors[0]?.cause).toMatchObject({ message: expect.stringContaining('403') });
    network.socket.welcome();
    expect(client.state).toBe('open');
  });

  test('is not the same as one that was reached before', () => {
    const { network, errors } = startConnected();
    for (let attempt = 0; attempt < 12; attempt += 1) {
      network.socket.end(1006);
      vi.advanceTimersToNextTimer();
    }
    expect(errors).toEqual([]);
  });
});
