import { describe, expect, test, vi } from 'vitest';
import type { Group } from '../src/index.ts';
import { outcomeOf, reconnect, settled, startClient, startConnected } from '../testing/start-client.ts';

const AT_5 = { epoch: 'e', offset: 5 };
const AT_6 = { epoch: 'e', offset: 6 };
const AT_9 = { epoch: 'e', offset: 9 };
const USER = { uid: 'ann', user: AT_5 };

/** Collects all events of a group, in order. */
function record(group: Group): unknown[] {
  const events: unknown[] = [];
  for (const name of ['joined', 'gap', 'error', 'left', 'removed'] as const) {
    group.on(name, (event) => events.push([name, event]));
  }
  group.on('message', ({ offset }) => events.push(offset));
  return events;
}

describe('the uid', () => {
  test('is that of the last welcome, and is in the senders of messages', async () => {
    const { client, network } = startClient({ token: 't1' });
    expect(client.uid).toBeUndefined();
    network.socket.welcome({ uid: 'ann' });
    expect(client.uid).toBe('ann');
    const group = client.group('g');
    const senders: unknown[] = [];
    group.on('message', ({ from }) => senders.push(from));
    void group.join();
    network.socket.ack(AT_5);
    const message = { type: 'message', group_id: 'g', message: '' } as const;
    network.socket.receive({ ...message, offset: 6, from: { client_id: 'c', uid: 'bob' } });
    network.socket.receive({ ...message, offset: 7, from: { client_id: 'd' } });
    network.socket.receive({ ...message, offset: 8, from: { client_id: 'd', uid: 5 } } as never);
    network.socket.receive({ ...message, offset: 9 });
    expect(senders).toEqual([{ clientId: 'c', uid: 'bob' }, { clientId: 'd' }, { clientId: 'd' }, undefined]);
    const read = group.history({ last: 1 });
    const messages = [{ offset: 9, message: '', from: { client_id: 'c', uid: 'bob' } }];
    network.socket.ack({ ...AT_9, verdict: 'recovered', messages });
    expect((await read).messages[0]?.from).toEqual({ clientId: 'c', uid: 'bob' });
    reconnect(network);
    expect(client.uid).toBeUndefined();
  });
});

describe('messages to the user', () => {
  const message = (offset?: number): never =>
    ({ type: 'message', user: true, message: `m${offset}`, ...(offset && { offset }) }) as never;

  function start() {
    const started = startClient({ token: 't1' });
    const { client, network } = started;
    const heard: unknown[] = [];
    client.on('userMessage', ({ epoch, offset }) => heard.push(offset && `${epoch}/${offset}`));
    client.group('$user').on('gap', ({ reason }) => heard.push(reason));
    network.socket.welcome(USER);
    return { ...started, heard };
  }

  test('need no join, and arrive once, in order', () => {
    const { network, heard } = start();
    for (const offset of [5, 6, 6, undefined, 7]) network.socket.receive(message(offset));
    expect(heard).toEqual(['e/6', undefined, 'e/7']);
    // The gateway waits for it before it joins what the server joins.
    expect(network.socket.sent).toEqual([{ cmd: 'resume', positions: {} }]);
  });

  test('are recovered after a reconnect, by resume', () => {
    const { network, heard } = start();
    network.socket.receive(message(6));
    reconnect(network, { uid: 'ann', user: AT_9 });
    expect(network.socket.sent).toEqual([{ cmd: 'resume', positions: { $user: AT_6 } }]);
    network.socket.receive({ type: 'joined', user: true, ...AT_9, recovered: true });
    for (const offset of [7, 8, 9, 10]) network.socket.receive(message(offset));
    expect(heard).toEqual(['e/6', 'e/7', 'e/8', 'e/9', 'e/10']);
  });

  test('that are lost are a gap of the group $user', () => {
    const { client, network, heard } = start();
    reconnect(network, { uid: 'ann', user: AT_9 });
    network.socket.receive({ type: 'joined', user: true, ...AT_9, recovered: false, reason: 'limit' });
    network.socket.receive({ type: 'gap', user: true, reason: 'epoch_changed', epoch: 'f', offset: 1 });
    network.socket.receive(message(2));
    expect(heard).toEqual(['limit', 'epoch_changed', 'f/2']);
    expect(client.group('$user').position).toEqual({ epoch: 'f', offset: 2 });
  });

  test('arrive also when the position comes after the welcome', () => {
    const { network, heard } = start();
    reconnect(network, { uid: 'bob' });
    network.socket.receive({ type: 'joined', user: true, ...AT_5 });
    network.socket.receive(message(6));
    expect(heard).toEqual(['e/6']);
  });

  test('of another user are not recovered at the position of this one', () => {
    const { client, network, heard } = start();
    reconnect(network, { uid: 'bob', user: AT_9 });
    expect(network.socket.sent).toEqual([{ cmd: 'resume', positions: {} }]);
    network.socket.receive(message(10));
    expect(heard).toEqual(['e/10']);
    expect(client.uid).toBe('bob');
  });

  test('take no place among the groups, and are not joined by the client', async () => {
    const { client, network } = startClient({ token: 't1' });
    const limits = { message_bytes: 65_536, groups: 1, messages_per_second: 1_000, messages_burst: 2_000 };
    network.socket.welcome({ ...USER, limits });
    outcomeOf(client.group('g').join());
    expect(network.socket.sentOf('add_group')).toHaveLength(1);
  });
});

describe('groups in the welcome', () => {
  const joined = [{ group_id: 'g', ...AT_5 }];

  test('are joined at their positions, without a join of the client', async () => {
    const { client, network } = startClient({ token: 't1' });
    const told: unknown[] = [];
    client.on('joined', (event) => told.push(event));
    const events = record(client.group('g'));
    const join = outcomeOf(client.group('g').join());
    network.socket.welcome({ joined });
    network.socket.receive({ type: 'message', group_id: 'g', offset: 6, message: '' });
    await settled();
    expect(told).toEqual([{ groupId: 'g', position: AT_5 }]);
    expect(events).toEqual([['joined', { position: AT_5 }], 6]);
    expect(join.value).toEqual({ position: AT_5 });
    expect(network.socket.sent).toEqual([{ cmd: 'resume', positions: {} }]);
  });

  test('are recovered after a reconnect: the event joined counts, not the welcome', () => {
    const { client, network } = startClient({ token: 't1' });
    network.socket.welcome({ joined });
    const events = record(client.group('g'));
    reconnect(network, { joined: [{ group_id: 'g', ...AT_9 }] });
    expect(network.socket.sent).toEqual([{ cmd: 'resume', positions: { g: AT_5 } }]);
    expect(events).toEqual([]);
    network.socket.receive({ type: 'joined', group_id: 'g', ...AT_9, recovered: true });
    for (const offset of [6, 7]) {
      network.socket.receive({ type: 'message', group_id: 'g', offset, message: '' });
    }
    expect(events).toEqual([['joined', { position: AT_5, recovered: true }], 6, 7]);
  });

  test('of which the resume has no room are a gap', () => {
    const { client, network } = startClient({ token: 't1' });
    const limits = { message_bytes: 40, groups: 128, messages_per_second: 1_000, messages_burst: 2_000 };
    network.socket.welcome({ joined });
    const events = record(client.group('g'));
    reconnect(network, { joined: [{ group_id: 'g', ...AT_9 }], limits });
    expect(network.socket.sent).toEqual([{ cmd: 'resume', positions: {} }]);
    expect(events).toMatchObject([
      ['joined', { recovered: false }],
      ['gap', { position: AT_9, reason: 'trimmed' }],
    ]);
  });

  test('whose messages were lost before the gateway joined them are a gap', () => {
    const { client, network } = startClient({ token: 't1' });
    network.socket.welcome({ joined });
    const events = record(client.group('g'));
    network.socket.receive({
      type: 'joined',
      group_id: 'g',
      epoch: 'f',
      offset: 1,
      recovered: false,
      reason: 'epoch_changed',
    });
    expect(events).toEqual([['gap', { reason: 'epoch_changed', position: { epoch: 'f', offset: 1 } }]]);
  });

  test('do not hide the earlier messages that the application asked for', async () => {
    const { client, network } = startClient({ token: 't1' });
    const join = outcomeOf(client.group('g').join({ last: 2 }));
    network.socket.welcome({ joined });
    expect(network.socket.sent).toMatchObject([{ cmd: 'resume' }, { cmd: 'leave_group' }]);
    network.socket.ack({ group_id: 'g' });
    expect(network.socket.sent.slice(2)).toMatchObject([{ cmd: 'add_group', last: 2 }]);
    network.socket.ack({ ...AT_5, count: 2 });
    await settled();
    expect(join.value).toEqual({ position: { epoch: 'e', offset: 3 }, count: 2 });
  });

  test.each([[5], 'g', [{ group_id: 5.5, ...AT_5 }]])('that are invalid end the connection: %j', (given) => {
    const { network, states } = startClient({ token: 't1' });
    network.socket.welcome({ joined: given as never });
    expect(states.at(-1)).toBe('waiting');
  });
});

describe('what is forbidden', () => {
  function start() {
    const started = startConnected();
    const told: unknown[] = [];
    started.client.on('forbidden', (event) => told.push(event));
    const forbid = (operation: string): void =>
      started.network.socket.receive({
        type: 'error',
        id: started.network.socket.sent.at(-1)?.id ?? 'none',
        code: 'forbidden',
        message: 'No.',
        operation: operation as never,
      });
    return { ...started, told, forbid };
  }

  test('rejects a join, which is not repeated, and is told with group and operation', async () => {
    const { client, network, told, forbid, errors } = start();
    const group = client.group('g');
    const events = record(group);
    const join = outcomeOf(group.join());
    forbid('join');
    await settled();
    const error = { code: 'forbidden', operation: 'join' };
    expect(join.error).toMatchObject(error);
    expect(events).toMatchObject([
      ['left', { error }],
      ['error', error],
    ]);
    expect(told).toEqual([{ groupId: 'g', operation: 'join' }]);
    expect(errors).toMatchObject([error]);
    await vi.advanceTimersByTimeAsync(30_000);
    reconnect(network);
    expect(network.socket.sent).toEqual([]);
  });

  test.each([
    ['publish', (group: Group) => group.send('hi')],
    ['publish', (group: Group) => group.send('hi', { store: false })],
    ['history', (group: Group) => group.history({ last: 1 })],
    ['info', (group: Group) => group.joinWithState(() => {})],
    ['manage', (group: Group) => group.kick('bob')],
    ['manage', (group: Group) => group.ban('bob')],
    ['manage', (group: Group) => group.unban('bob')],
  ])('rejects a call that needs %s, once', async (operation, call) => {
    const { client, network, told, forbid } = start();
    const outcome = outcomeOf(call(client.group('g')) as Promise<unknown>);
    forbid(operation);
    await settled();
    expect(outcome.error).toMatchObject({ code: 'forbidden', operation });
    expect(told).toEqual([{ groupId: 'g', operation }]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(network.socket.sent).toHaveLength(1);
  });

  test('after a reconnect leaves the group, and is told', async () => {
    const { client, network, told, forbid } = start();
    const group = client.group('g');
    void group.join();
    network.socket.ack(AT_5);
    reconnect(network);
    forbid('join');
    expect([group.state, told]).toEqual(['left', [{ groupId: 'g', operation: 'join' }]]);
  });

  test('after a refresh removes from the group, which is not joined again by itself', async () => {
    const { client, network } = start();
    const group = client.group('g');
    void group.join();
    network.socket.ack(AT_5);
    const events = record(group);
    network.socket.receive({ type: 'removed', group_id: 'g', reason: 'permission' });
    expect(events).toMatchObject([
      ['left', { error: { code: 'removed' } }],
      ['removed', { reason: 'permission' }],
    ]);
    await vi.advanceTimersByTimeAsync(30_000);
    reconnect(network);
    expect(network.socket.sent).toEqual([]);
  });
});

describe('a moderator', () => {
  test('kicks, bans and unbans: each resolves with nothing when the gateway has done it', async () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    const calls = [
      group.kick('bob', { reason: 'Calm down.' }),
      group.ban('bob', { seconds: 60, reason: 'Spam.' }),
      group.ban(42 as never),
      group.unban('bob'),
    ].map(outcomeOf);
    expect(network.socket.sent).toEqual([
      { cmd: 'kick', group_id: 'g', uid: 'bob', reason: 'Calm down.', id: 1 },
      { cmd: 'ban', group_id: 'g', uid: 'bob', seconds: 60, reason: 'Spam.', id: 2 },
      { cmd: 'ban', group_id: 'g', uid: '42', id: 3 },
      { cmd: 'unban', group_id: 'g', uid: 'bob', id: 4 },
    ]);
    for (const command of network.socket.sent) network.socket.ack({}, command);
    await settled();
    for (const call of calls) expect(call).toEqual({ value: undefined });
    expect(calls.every((call) => 'value' in call)).toBe(true);
  });

  test('is retried over a reconnect, and times out', async () => {
    const { client, network } = startConnected();
    const kick = outcomeOf(client.group('g').kick('bob'));
    reconnect(network);
    expect(network.socket.sentOf('kick')).toHaveLength(1);
    network.socket.refuse('hub_unavailable');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(network.socket.sentOf('kick')).toHaveLength(2);
    network.socket.end(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kick.error?.code).toBe('timeout');
  });

  test.each([
    ['kick', '', {}, 'invalid_group'],
    ['ban', 'a\nb', {}, 'invalid_group'],
    ['unban', 'ü'.repeat(128), {}, 'invalid_group'],
    ['ban', 'bob', { seconds: 0 }, 'bad_option'],
    ['ban', 'bob', { seconds: 315_360_001 }, 'bad_option'],
    ['kick', 'bob', { reason: 'ü'.repeat(62) }, 'bad_option'],
    ['kick', 'bob', { reason: 5 }, 'bad_option'],
    ['kick', 'bob', { timeoutMs: 0 }, 'bad_option'],
  ] as const)('%s(%j, %j) rejects with %s, and sends nothing', async (cmd, uid, options, code) => {
    const { client, network } = startConnected();
    await expect(client.group('g')[cmd](uid, options as never)).rejects.toMatchObject({ code });
    expect(network.socket.sent).toEqual([]);
  });
});

describe('disconnected', () => {
  test('has the code and the reason, and whether the client comes back; the state is first', () => {
    const { client, network } = startConnected();
    const told: unknown[] = [];
    client.on('state', ({ state }) => told.push(state));
    client.on('disconnected', (event) => told.push(event));
    network.socket.receive({ type: 'disconnect', code: 1012, reason: 'Restart.', reconnect: true });
    vi.advanceTimersToNextTimer();
    network.socket.welcome();
    network.socket.receive({ type: 'disconnect', code: 4511, reason: 'Banned.', reconnect: false });
    expect(told).toEqual([
      'waiting',
      { code: 1012, reason: 'Restart.', reconnects: true },
      'connecting',
      'open',
      'closed',
      { code: 4511, reason: 'Banned.', reconnects: false },
    ]);
  });

  test.each(['close', 'suspend', 'reconnect'] as const)('is not told after %s()', (how) => {
    const { client } = startConnected();
    const told: unknown[] = [];
    client.on('disconnected', (event) => told.push(event));
    client[how]();
    expect(told).toEqual([]);
  });
});
