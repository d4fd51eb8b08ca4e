import { describe, expect, test, vi } from 'vitest';
import type { Group, GroupcastClientOptions } from '../src/index.ts';
import { outcomeOf, reconnect, settled, startClient, startConnected } from '../testing/start-client.ts';

/** Collects all events of a group, in order. */
function record(group: Group): unknown[] {
  const events: unknown[] = [];
  for (const name of ['joined', 'gap', 'error', 'left'] as const) {
    group.on(name, (event) => events.push([name, event]));
  }
  group.on('message', ({ offset, message }) => events.push([offset, message]));
  return events;
}

/** Starts a client that has joined the group `g` at e/5, and collects the events of the group. */
function startJoined(options: Partial<GroupcastClientOptions> = {}) {
  const started = startConnected(options);
  const group = started.client.group('g');
  const events = record(group);
  void group.join();
  started.network.socket.ack({ epoch: 'e', offset: 5 });
  events.length = 0;
  const message = (offset: number): void =>
    started.network.socket.receive({ type: 'message', group_id: 'g', offset, message: `m${offset}` });
  return { ...started, group, events, message };
}

describe('a group', () => {
  test('is one object for one id, and sends nothing', () => {
    const { client, network } = startConnected();
    const group = client.group('123');
    expect(client.group(123)).toBe(group);
    record(group);
    expect(group).toMatchObject({ id: '123', state: 'left', position: undefined });
    expect(network.socket.sent).toEqual([]);
  });

  test('is joined once, by the first join or iteration', () => {
    const interests: ((group: Group) => void)[] = [
      (group) => void group.join(),
      (group) => void group[Symbol.asyncIterator](),
    ];
    for (const first of interests) {
      const { client, network } = startConnected();
      const group = client.group('g');
      first(group);
      expect(group.state).toBe('joining');
      for (const interest of interests) interest(group);
      expect(network.socket.sent).toEqual([{ cmd: 'add_group', group_id: 'g', id: 1 }]);
      network.socket.ack({ epoch: 'e', offset: 5 });
      expect(group).toMatchObject({ state: 'joined', position: { epoch: 'e', offset: 5 } });
      for (const interest of interests) interest(group);
      expect(network.socket.sent).toHaveLength(1);
      group.join().catch(() => {});
    }
  });

  test('join resolves when the group is joined, at once when it is already', async () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    const first = outcomeOf(group.join());
    await settled();
    expect(first).toEqual({});
    network.socket.ack({ epoch: 'e', offset: 5 });
    const position = { epoch: 'e', offset: 5 };
    expect(await group.join()).toEqual({ position });
    expect(first).toEqual({ value: { position } });
  });

  test('emits its messages, each once and in order', () => {
    const { network, events, message, group } = startJoined();
    network.socket.receive({
      type: 'message',
      group_id: 'g',
      offset: 6,
      message: { any: ['JSON'] },
      from: { client_id: 'x' },
    });
    for (const offset of [7, 7, 6, 9]) message(offset);
    network.socket.receive({ type: 'message', group_id: 'other', offset: 1, message: '' });
    expect(events).toEqual([
      [6, { any: ['JSON'] }],
      [7, 'm7'],
      [9, 'm9'],
    ]);
    expect(group.position).toEqual({ epoch: 'e', offset: 9 });
  });

  test('a message has its position and its sender', () => {
    const { client, network } = startConnected();
    const messages: unknown[] = [];
    client.group('g').on('message', (message) => messages.push(message));
    void client.group('g').join();
    network.socket.ack({ epoch: 'e', offset: 0 });
    const event = { type: 'message', group_id: 'g', message: 'hi' } as const;
    network.socket.receive({ ...event, offset: 1, from: { client_id: 'x' } });
    network.socket.receive({ ...event, offset: 2 });
    const message = { groupId: 'g', epoch: 'e', message: 'hi' };
    expect(messages).toEqual([
      { ...message, offset: 1, from: { clientId: 'x' } },
      { ...message, offset: 2 },
    ]);
  });

  test('emits a gap and continues after it', () => {
    const { network, events, message, group } = startJoined();
    network.socket.receive({
      type: 'gap',
      group_id: 'g',
      reason: 'epoch_changed',
      epoch: 'f',
      offset: 2,
    });
    const position = { epoch: 'f', offset: 2 };
    expect(group.position).toEqual(position);
    for (const offset of [2, 3]) message(offset);
    expect(events).toEqual([
      ['gap', { reason: 'epoch_changed', position }],
      [3, 'm3'],
    ]);
  });

  test('receives the messages after a stored position', () => {
    const { client, network } = startConnected();
    const since = { epoch: 'e', offset: 3 };
    const group = client.group('g');
    const joined: unknown[] = [];
    group.on('joined', (event) => joined.push(event));
    void group.join({ since });
    expect(network.socket.sent).toEqual([{ cmd: 'add_group', group_id: 'g', since, id: 1 }]);
    network.socket.ack({ epoch: 'e', offset: 9, recovered: true });
    expect(joined).toEqual([{ position: since, recovered: true }]);
    expect(group.position).toEqual(since);
  });
});

describe('a removal by the gateway', () => {
  const expelled = { type: 'error', group_id: 'g', message: 'No.' } as const;

  test('emits an error, and the client joins again at its position', () => {
    vi.useFakeTimers();
    const { client, network, message, group, events } = startJoined();
    const errors: unknown[] = [];
    client.on('error', ({ code }) => errors.push(code));
    message(6);
    network.socket.receive({ ...expelled, code: 'channel_limit' });
    message(7);
    expect(group.state).toBe('joining');
    expect(network.socket.sentOf('add_group')).toHaveLength(1);
    vi.advanceTimersByTime(1_000);
    expect(network.socket.sentOf('add_group')[1]?.since).toEqual({ epoch: 'e', offset: 6 });
    network.socket.ack({ epoch: 'e', offset: 7, recovered: true });
    message(7);
    const position = { epoch: 'e', offset: 6 };
    expect(events).toMatchObject([
      [6, 'm6'],
      ['error', { code: 'channel_limit' }],
      ['joined', { position, recovered: true }],
      [7, 'm7'],
    ]);
    expect(errors).toEqual(['channel_limit']);
  });

  test('is ignored by a client that leaves', async () => {
    const { network, group, events } = startJoined();
    const left = group.leave();
    network.socket.receive({ ...expelled, code: 'channel_limit' });
    expect(group.state).toBe('left');
    network.socket.ack({});
    await left;
    expect(events).toEqual([['left', { error: undefined }]]);
    expect(network.socket.sentOf('add_group')).toHaveLength(1);
  });
});

describe('after a reconnect', () => {
  test('every group is joined at its position, before messages are repeated', () => {
    const { client, network, message, group, events } = startJoined();
    message(6);
    const never = client.group('never');
    void never.join().catch(() => {});
    void group.send('x').catch(() => {});
    reconnect(network);
    expect(group.state).toBe('joining');
    const joins = network.socket.sentOf('add_group');
    const join = joins.find(({ group_id }) => group_id === 'g');
    expect(join?.since).toEqual({ epoch: 'e', offset: 6 });
    expect(joins.find(({ group_id }) => group_id === 'never')?.since).toBeUndefined();
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual(['add_group', 'add_group', 'send_to_group']);
    events.length = 0;
    network.socket.ack({ epoch: 'e', offset: 8, recovered: true }, join);
    for (const offset of [7, 8, 9]) message(offset);
    expect(events).toEqual([
      ['joined', { position: { epoch: 'e', offset: 6 }, recovered: true }],
      [7, 'm7'],
      [8, 'm8'],
      [9, 'm9'],
    ]);
  });

  test.each(['epoch_changed', 'trimmed', 'limit'] as const)(
    'a group emits a gap with %s and continues',
    (reason) => {
      const { network, message, events } = startJoined();
      reconnect(network);
      const position = { epoch: 'f', offset: 50 };
      network.socket.ack({ ...position, recovered: false, reason });
      for (const offset of [50, 51]) message(offset);
      expect(events).toEqual([
        ['joined', { position, recovered: false, reason }],
        ['gap', { reason, position }],
        [51, 'm51'],
      ]);
    },
  );

  test.each([
    [{ epoch: 'e', offset: 5 }, undefined],
    [{ epoch: 'e', offset: 6 }, 'trimmed'],
    [{ epoch: 'f', offset: 5 }, 'epoch_changed'],
  ])('an ack without a recovery at %j: %s', (position, reason) => {
    const { network, events } = startJoined();
    reconnect(network);
    network.socket.ack(position);
    expect(events).toEqual(
      reason === undefined
        ? [['joined', { position, recovered: true }]]
        : [
            ['joined', { position, recovered: false, reason }],
            ['gap', { reason, position }],
          ],
    );
  });

  test('a member that only sent with excludeSelf recovers after its own messages', async () => {
    const { group, network } = startJoined();
    for (const offset of [7, 6]) {
      void group.send('x', { excludeSelf: true });
      network.socket.ack({ epoch: 'e', offset });
      await settled();
    }
    reconnect(network);
    expect(network.socket.sent).toEqual([
      expect.objectContaining({ cmd: 'add_group', since: { epoch: 'e', offset: 7 } }),
    ]);
  });

  test('128 groups and 1,000 messages stay within the limits of the gateway', () => {
    const { client, network } = startConnected();
    for (let count = 0; count < 128; count += 1)
      void client
        .group(count)
        .join()
        .catch(() => {});
    for (let count = 0; count < 1_000; count += 1)
      void client
        .group(0)
        .send('x')
        .catch(() => {});
    network.socket.end(1006);
    while (network.sockets.length === 1) vi.advanceTimersToNextTimer();
    network.socket.welcome({
      limits: { message_bytes: 65_536, groups: 128, messages_per_second: 100, messages_burst: 200 },
    });
    expect(network.socket.sent).toHaveLength(150);
    expect(network.socket.sentOf('add_group')).toHaveLength(128);
    let heard = 0;
    while (network.socket.sent.length < 1_128 && heard < 60) {
      heard += 1;
      const before = network.socket.sent.length;
      vi.advanceTimersByTime(1_000);
      network.socket.receive({ type: 'ping' });
      expect(network.socket.sentOf('send_to_group').length + 128 - before).toBeLessThanOrEqual(100);
    }
    expect(network.socket.sentOf('send_to_group').length).toBeGreaterThanOrEqual(1_000 - 128);
  });
});

describe('a join', () => {
  test.each(['hub_unavailable', 'channel_limit', 'rate_limited', 'internal_error'])(
    'that is refused with %s is tried again after a while',
    (code) => {
      const { client, network } = startConnected();
      vi.spyOn(Math, 'random').mockReturnValue(0.999);
      const group = client.group('g');
      const events = record(group);
      void group.join();
      network.socket.refuse(code);
      vi.advanceTimersByTime(400);
      expect(network.socket.sent).toHaveLength(1);
      vi.advanceTimersByTime(250);
      expect(network.socket.sent).toHaveLength(2);
      network.socket.refuse(code);
      vi.advanceTimersByTime(900);
      expect(network.socket.sent).toHaveLength(2);
      vi.advanceTimersByTime(250);
      network.socket.ack({ epoch: 'e', offset: 5 });
      expect(events).toEqual([['joined', { position: { epoch: 'e', offset: 5 } }]]);
    },
  );

  test('that is rejected for good rejects all joins, and leaves the group', async () => {
    const { client, network, errors } = startConnected();
    const group = client.group('g');
    const events = record(group);
    const join = outcomeOf(group.join());
    const reading = outcomeOf(group[Symbol.asyncIterator]().next());
    network.socket.refuse('forbidden');
    await settled();
    const error = expect.objectContaining({ code: 'forbidden' });
    expect(events).toEqual([
      ['left', { error }],
      ['error', error],
    ]);
    expect([join.error, reading.error, ...errors]).toEqual([error, error, error]);
    expect(group.state).toBe('left');
    reconnect(network);
    expect(network.socket.sent).toEqual([]);
    void group.join().catch(() => {});
    expect(network.socket.sent).toHaveLength(1);
  });

  test('beyond the limit of groups rejects without a command', async () => {
    const { client, network } = startClient();
    network.socket.welcome({
      limits: { message_bytes: 65_536, groups: 2, messages_per_second: 1_000, messages_burst: 2_000 },
    });
    const joins = [1, 2, 3].map((id) => outcomeOf(client.group(id).join()));
    await settled();
    expect(joins.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'group_limit']);
    expect(network.socket.sent).toHaveLength(2);
    for (const command of [...network.socket.sent]) network.socket.ack({ epoch: 'e', offset: 0 }, command);
    void client.group(1).leave();
    void client
      .group(3)
      .join()
      .catch(() => {});
    expect(network.socket.sent.slice(2).map(({ cmd }) => cmd)).toEqual(['leave_group', 'add_group']);
  });

  test('without an answer is repeated from the same position', () => {
    const { network, group, events, message } = startJoined();
    reconnect(network);
    const unanswered = network.socket.sent[0];
    for (const _ of [1, 2]) {
      vi.advanceTimersByTime(7_600);
      network.socket.receive({ type: 'ping' });
    }
    expect(network.socket.sentOf('leave_group')).toHaveLength(1);
    // The gateway may have executed it.
    network.socket.ack({ epoch: 'e', offset: 6, recovered: true }, unanswered);
    message(6);
    expect(events).toEqual([]);
    network.socket.ack({}, network.socket.sentOf('leave_group')[0]);
    expect(network.socket.sentOf('add_group')[1]).toMatchObject({ since: { epoch: 'e', offset: 5 } });
    network.socket.ack({ epoch: 'e', offset: 6, recovered: true });
    message(6);
    expect(events).toEqual([
      ['joined', { position: { epoch: 'e', offset: 5 }, recovered: true }],
      [6, 'm6'],
    ]);
    expect(group.state).toBe('joined');
  });
});

describe('leave', () => {
  test('stops the messages at once, and resolves with the answer', async () => {
    const { network, group, events, message } = startJoined();
    const left = outcomeOf(group.leave());
    message(6);
    expect(group).toMatchObject({ state: 'left', position: undefined });
    expect(events).toEqual([['left', { error: undefined }]]);
    await settled();
    expect(left).toEqual({});
    network.socket.ack({});
    await settled();
    expect(left).toHaveProperty('value');
    reconnect(network);
    expect(network.socket.sent).toEqual([]);
  });

  test('resolves at once when the group is not joined', async () => {
    const { client, network } = startConnected();
    await client.group('g').leave();
    expect(network.socket.sent).toEqual([]);
  });

  test('before the answer to a join rejects the join, and leaves after the answer', async () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    const join = outcomeOf(group.join());
    const left = outcomeOf(group.leave());
    await settled();
    expect(join.error?.code).toBe('left');
    network.socket.ack({ epoch: 'e', offset: 5 });
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual(['add_group', 'leave_group']);
    network.socket.ack({});
    await settled();
    expect(left).toHaveProperty('value');
  });

  test('and join again start over, whichever command is in flight', () => {
    const { network, group, events, message } = startJoined();
    void group.leave();
    void group.join().catch(() => {});
    message(6);
    network.socket.ack({}, network.socket.sentOf('leave_group')[0]);
    expect(network.socket.sent.at(-1)).toEqual({ cmd: 'add_group', group_id: 'g', id: 3 });
    message(7);
    network.socket.ack({ epoch: 'e', offset: 7 });
    message(8);
    expect(events).toEqual([
      ['left', { error: undefined }],
      ['joined', { position: { epoch: 'e', offset: 7 } }],
      [8, 'm8'],
    ]);
  });

  test('and join again ignore the answer to the first join', () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    void group.join().catch(() => {});
    const events = record(group);
    void group.leave();
    void group.join().catch(() => {});
    network.socket.ack({ epoch: 'e', offset: 5 });
    expect(group).toMatchObject({ state: 'joining', position: undefined });
    network.socket.ack({});
    network.socket.ack({ epoch: 'e', offset: 6 });
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual(['add_group', 'leave_group', 'add_group']);
    expect(network.socket.sentOf('add_group')[1]?.since).toBeUndefined();
    expect(events).toEqual([
      ['left', { error: undefined }],
      ['joined', { position: { epoch: 'e', offset: 6 } }],
    ]);
  });

  test('and join again ignore the rejection of the first join', () => {
    const { client, network, errors } = startConnected();
    const group = client.group('g');
    void group.join().catch(() => {});
    void group.leave();
    void group.join().catch(() => {});
    network.socket.refuse('forbidden');
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual(['add_group', 'add_group']);
    expect([group.state, errors]).toEqual(['joining', []]);
  });

  test('is retried after a temporary rejection; the end of the connection confirms it', async () => {
    const { network, group } = startJoined();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const left = outcomeOf(group.leave());
    network.socket.refuse('rate_limited');
    vi.advanceTimersByTime(500);
    expect(network.socket.sentOf('leave_group')).toHaveLength(2);
    network.socket.end(1006);
    await settled();
    expect(left).toHaveProperty('value');
  });
});

describe('iteration', () => {
  test('returns messages, and ends when the group is left', async () => {
    const { group, message } = startJoined();
    const offsets: unknown[] = [];
    const reading = (async () => {
      for await (const { offset } of group) offsets.push(offset);
    })();
    await settled();
    for (const offset of [6, 7]) message(offset);
    await settled();
    void group.leave({ all: true });
    await reading;
    expect(offsets).toEqual([6, 7]);
  });

  test('that ends by break does not leave a joined group', async () => {
    const { group, message, network } = startJoined();
    const reading = (async () => {
      for await (const _ of group) break;
    })();
    message(6);
    await reading;
    expect(group.state).toBe('joined');
    expect(network.socket.sentOf('leave_group')).toEqual([]);
  });

  test('that is too slow ends with buffer_full; others continue', async () => {
    const { group, message, events } = startJoined({ bufferMax: 2 });
    const slow = group[Symbol.asyncIterator]();
    for (const offset of [6, 7, 8]) message(offset);
    expect([(await slow.next()).value?.offset, (await slow.next()).value?.offset]).toEqual([6, 7]);
    await expect(slow.next()).rejects.toMatchObject({ code: 'buffer_full' });
    expect(events).toHaveLength(3);
  });

  test('ends when the client is closed, and throws when the gateway closed it', async () => {
    for (const [code, error] of [
      [undefined, undefined],
      [4500, 4500],
    ]) {
      const { client, group, network } = startJoined();
      const reading = outcomeOf(group[Symbol.asyncIterator]().next());
      if (code === undefined) client.close();
      else network.socket.end(code);
      await settled();
      expect(reading.error?.closeCode).toBe(error);
      expect(reading.value?.done).toBe(code === undefined ? true : undefined);
    }
  });
});

describe('a closed client', () => {
  test('has left all groups, and rejects joins', async () => {
    const { client, group, events } = startJoined();
    const join = outcomeOf(client.group('other').join());
    client.close();
    await settled();
    expect(events).toEqual([['left', { error: undefined }]]);
    expect(join.error?.code).toBe('closed');
    await expect(group.join()).rejects.toMatchObject({ code: 'closed' });
    await expect(group.joinWithState(() => {})).rejects.toMatchObject({ code: 'closed' });
    expect(() => group[Symbol.asyncIterator]()).toThrow('closed');
    await group.leave();
  });

  test('emits the reason in its groups when the gateway closed it', () => {
    const { events, network, errors } = startJoined();
    network.socket.end(4505);
    expect(events).toEqual([['left', { error: expect.objectContaining({ closeCode: 4505 }) }]]);
    expect(errors).toEqual([]);
  });
});

test('an error of the gateway without an id is emitted', () => {
  const { network, errors } = startConnected();
  network.socket.receive({ type: 'error', code: 'bad_json', message: 'What was that?' });
  expect(errors).toMatchObject([{ code: 'bad_json' }]);
});
