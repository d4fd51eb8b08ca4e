import { describe, expect, test, vi } from 'vitest';
import type { Position } from '../src/index.ts';
import { outcomeOf, reconnect, settled, startClient, startConnected } from '../testing/start-client.ts';

const AT_5 = { epoch: 'e', offset: 5 };

describe('a position to join from', () => {
  test.each([null, undefined])('%j stands for no position', async (since) => {
    const { client, network } = startConnected();
    const joined = client.group('g').join({ since });
    expect(network.socket.sent).toEqual([{ cmd: 'add_group', group_id: 'g', id: 1 }]);
    network.socket.ack(AT_5);
    expect(await joined).toEqual({ position: AT_5 });
  });

  test.each([
    {},
    [],
    'E:5',
    5,
    true,
    { epoch: 'e' },
    { offset: 5 },
    { epoch: '', offset: 5 },
    { epoch: 'é'.repeat(128), offset: 5 },
    { epoch: 'a\ud800', offset: 5 },
    { epoch: 5, offset: 5 },
    { epoch: 'e', offset: '5' },
    { epoch: 'e', offset: -1 },
    { epoch: 'e', offset: 1.5 },
    { epoch: 'e', offset: null },
  ])('%j rejects with bad_option, and does not join', async (since) => {
    const { client, network } = startConnected();
    const group = client.group('g');
    await expect(group.join({ since: since as Position })).rejects.toMatchObject({ code: 'bad_option' });
    expect([group.state, network.socket.sent]).toEqual(['left', []]);
    void group.join();
    network.socket.ack(AT_5);
    await expect(group.join({ since: since as Position })).rejects.toMatchObject({ code: 'bad_option' });
    expect(group.state).toBe('joined');
    void group.leave();
    expect(group.state).toBe('left');
  });
});

test.each([
  ['no options', null],
  ['no time', { timeoutMs: 0 }],
  ['half a millisecond', { timeoutMs: 0.5 }],
  ['a time that a timer cannot wait', { timeoutMs: 2 ** 31 }],
  ['a time of text', { timeoutMs: '5' }],
  ['no signal', { signal: {} }],
])('%s: join, joinWithState and send reject with bad_option', async (_what, options) => {
  const { client, network } = startConnected();
  const group = client.group('g');
  const calls = [
    group.join(options as never),
    group.joinWithState(() => {}, options as never),
    group.send('hi', options as never),
    group.joinWithState(undefined as never),
  ];
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'bad_option' });
  expect([group.state, network.socket.sent]).toEqual(['left', []]);
});

/** A signal that counts its listeners. */
function watched() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  vi.spyOn(signal, 'addEventListener').mockImplementation((...given: Parameters<typeof add>) => {
    listeners += 1;
    add(...given);
  });
  vi.spyOn(signal, 'removeEventListener').mockImplementation((...given: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...given);
  });
  return { controller, signal, listeners: () => listeners };
}

describe('a join', () => {
  test('is undone when its signal is aborted, and rejects with the reason', async () => {
    const { client, network } = startConnected();
    const { controller, signal, listeners } = watched();
    const group = client.group('g');
    const joined = outcomeOf<unknown>(group.join({ signal }));
    const reason = new Error('The component is gone.');
    controller.abort(reason);
    await settled();
    expect(joined.error).toBe(reason);
    network.socket.ack(AT_5);
    network.socket.ack({});
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual(['add_group', 'leave_group']);
    expect([group.state, listeners()]).toEqual(['left', 0]);
  });

  test('of other users continues', async () => {
    const { client, network } = startConnected();
    const controller = new AbortController();
    const group = client.group('g');
    const [one, other] = [outcomeOf(group.join({ signal: controller.signal })), outcomeOf(group.join())];
    controller.abort();
    network.socket.ack(AT_5);
    await settled();
    expect([one.error?.name, other.value]).toEqual(['AbortError', { position: AT_5 }]);
    void group.leave();
    expect(group.state).toBe('left');
  });

  test('that is settled ignores its signal and its timeout', async () => {
    const { client, network } = startConnected();
    const { controller, signal, listeners } = watched();
    const group = client.group('g');
    const joined = group.join({ signal, timeoutMs: 1_000 });
    network.socket.ack(AT_5);
    await joined;
    expect(listeners()).toBe(0);
    controller.abort();
    vi.advanceTimersByTime(2_000);
    expect(group.state).toBe('joined');
  });

  test('with an aborted signal sends nothing', async () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    await expect(group.join({ signal })).rejects.toBe(reason);
    await expect(group.send('hi', { signal })).rejects.toBe(reason);
    expect([group.state, network.socket.sent]).toEqual(['left', []]);
  });

  test('rejects with timeout in any state of the connection', async () => {
    const { client } = startClient();
    const group = client.group('g');
    const joins = [
      outcomeOf(group.join({ timeoutMs: 1_000 })),
      outcomeOf(group.joinWithState(() => {}, { timeoutMs: 2_000 })),
    ];
    vi.advanceTimersByTime(999);
    await settled();
    expect(joins).toEqual([{}, {}]);
    vi.advanceTimersByTime(1);
    expect(group.state).toBe('joining');
    vi.advanceTimersByTime(1_000);
    await settled();
    expect(joins.map(({ error }) => error?.code)).toEqual(['timeout', 'timeout']);
    expect(group.state).toBe('left');
  });

  test('leaves no timer and no listener when the client is closed', async () => {
    const { client } = startClient();
    const { signal, listeners } = watched();
    const group = client.group('g');
    const calls = [
      outcomeOf(group.join({ signal, timeoutMs: 60_000 })),
      outcomeOf(group.send('hi', { signal, timeoutMs: 60_000 })),
    ];
    expect(listeners()).toBe(2);
    client.close();
    await settled();
    expect(calls.map(({ error }) => error?.code)).toEqual(['closed', 'not_sent']);
    expect(listeners()).toBe(0);
  });
});

describe('a send', () => {
  test('that is aborted before it is sent is dropped from the queue', async () => {
    const { client, network } = startClient();
    const group = client.group('g');
    const controller = new AbortController();
    const { signal } = controller;
    const sends = [group.send('1'), group.send('2', { signal }), group.send('3')].map((send) =>
      outcomeOf<unknown>(send),
    );
    const reason = new Error('never mind');
    controller.abort(reason);
    network.socket.welcome();
    expect(network.socket.sentOf('send_to_group').map(({ message }) => message)).toEqual(['1', '3']);
    await settled();
    expect(sends[1]?.error).toBe(reason);
  });

  test('that is aborted in flight has an unknown outcome, and is not sent again', async () => {
    const { client, network } = startConnected();
    const controller = new AbortController();
    const sent = outcomeOf(client.group('g').send('hi', { signal: controller.signal }));
    const reason = new Error('never mind');
    controller.abort(reason);
    await settled();
    expect(sent.error).toMatchObject({ code: 'outcome_unknown', cause: reason });
    reconnect(network);
    expect(network.socket.sent).toEqual([]);
  });

  test.each([
    ['timeout', false],
    ['outcome_unknown', true],
  ])('that times out rejects with %s if sent is %s', async (code, isSent) => {
    const { client, network } = startClient();
    const sent = outcomeOf(client.group('g').send('hi', { timeoutMs: 1_000 }));
    if (isSent) network.socket.welcome();
    vi.advanceTimersByTime(1_000);
    await settled();
    expect(sent.error?.code).toBe(code);
    if (isSent) expect(sent.error?.cause).toMatchObject({ code: 'timeout' });
    if (!isSent) network.socket.welcome();
    expect(network.socket.sentOf('send_to_group')).toHaveLength(isSent ? 1 : 0);
  });

  test('that is settled ignores its signal and its timeout', async () => {
    const { client, network } = startConnected();
    const { signal, listeners } = watched();
    const sent = client.group('g').send('hi', { signal, timeoutMs: 1_000 });
    network.socket.ack(AT_5);
    expect(await sent).toEqual(AT_5);
    expect(listeners()).toBe(0);
    vi.advanceTimersByTime(60_000);
  });
});
